package app.mantel.analytics.storage;

import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * How fast the library grows, from what it weighed day by day.
 *
 * <p>Rules: the median of all pairwise slopes (Theil, Sen) counts, so that a few odd days bend
 * nothing. A step of the total lasts, though, and would be in half of all pairs: one that is more
 * than {@value #FAR_OUT} times the usual step, such as the day of a move, counts as a usual one.
 */
final class Growth {
  private static final double FAR_OUT = 10;

  private Growth() {}

  /** Bytes a day; null below {@value TheilSen#FEWEST} days. */
  static @Nullable Double perDay(double[] totals) {
    double[] steps =
        IntStream.range(1, totals.length).mapToDouble(i -> totals[i] - totals[i - 1]).toArray();
    double[] usual = new double[totals.length];
    for (int i = 1; i < totals.length; i++) {
      double most = FAR_OUT * typicalBeside(steps, i - 1);
      double step = steps[i - 1];
      usual[i] = usual[i - 1] + (Math.abs(step) > most ? Math.signum(step) * most / FAR_OUT : step);
    }
    return TheilSen.slope(usual);
  }

  /** The median size of all other steps that are any; 0 where there is no other. */
  private static double typicalBeside(double[] steps, int one) {
    double[] others =
        IntStream.range(0, steps.length)
            .filter(i -> i != one && steps[i] != 0)
            .mapToDouble(i -> Math.abs(steps[i]))
            .sorted()
            .toArray();
    int middle = others.length / 2;
    return others.length == 0
        ? 0
        : others.length % 2 == 1 ? others[middle] : (others[middle - 1] + others[middle]) / 2;
  }
}
