package app.mantel.analytics.playback;

import app.mantel.analytics.playback.Intervals.Interval;

/** A file in 100 equal parts, and how often one session saw each: once, or again. */
public final class Segments {
  public static final int COUNT = 100;
  private static final int MOST = 100;

  /** A part counts as seen when so much of it was. */
  private static final double ENOUGH = 0.2;

  private Segments() {}

  /** 100 counts; a part that was seen twice, as by going back, has 2. */
  static byte[] of(Intervals watched, double durationSec) {
    double[] seen = new double[COUNT];
    double width = durationSec / COUNT;
    for (Interval interval : watched.all()) {
      int first = (int) Math.max(0, interval.from() / width);
      int last = (int) Math.min(COUNT - 1, interval.to() / width);
      for (int i = first; i <= last; i++) {
        double from = Math.max(interval.from(), i * width);
        double to = Math.min(interval.to(), (i + 1) * width);
        seen[i] += Math.max(0, to - from) / width;
      }
    }
    byte[] counts = new byte[COUNT];
    for (int i = 0; i < COUNT; i++) {
      double rounded = Math.floor(seen[i] + 1 - ENOUGH);
      counts[i] = (byte) Math.min(MOST, rounded);
    }
    return counts;
  }
}
