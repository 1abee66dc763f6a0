package app.mantel.analytics.storage;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Growth that one big day of importing does not bend: the median of all pairwise slopes (Theil,
 * Sen).
 */
final class TheilSen {
  /** Fewer days than this tell nothing. */
  static final int FEWEST = 7;

  private TheilSen() {}

  /** Change per step of {@code values}, which stand at equal distances; null below 7 of them. */
  static @Nullable Double slope(double[] values) {
    int n = values.length;
    if (n < FEWEST) {
      return null;
    }
    double[] slopes = new double[n * (n - 1) / 2];
    int count = 0;
    for (int i = 0; i < n; i++) {
      for (int j = i + 1; j < n; j++) {
        slopes[count++] = (values[j] - values[i]) / (j - i);
      }
    }
    Arrays.sort(slopes);
    int middle = count / 2;
    return count % 2 == 1 ? slopes[middle] : (slopes[middle - 1] + slopes[middle]) / 2;
  }
}
