package app.mantel.analytics.playback;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Stretches on a line, from where to where; with and without repeats. */
final class Intervals {
  record Interval(double from, double to) {
    double length() {
      return to - from;
    }
  }

  private final List<Interval> all = new ArrayList<>();

  void add(double from, double to) {
    if (to > from) {
      all.add(new Interval(from, to));
    }
  }

  List<Interval> all() {
    return all;
  }

  /** Length with repeats. */
  double total() {
    return all.stream().mapToDouble(Interval::length).sum();
  }

  /** What is covered at all: disjoint, rising. */
  Intervals union() {
    Intervals union = new Intervals();
    List<Interval> sorted = new ArrayList<>(all);
    sorted.sort(Comparator.comparingDouble(Interval::from));
    double from = Double.NaN;
    double to = Double.NaN;
    for (Interval next : sorted) {
      if (next.from() <= to) {
        to = Math.max(to, next.to());
      } else {
        if (!Double.isNaN(from)) {
          union.add(from, to);
        }
        from = next.from();
        to = next.to();
      }
    }
    if (!Double.isNaN(from)) {
      union.add(from, to);
    }
    return union;
  }

  boolean touches(double from, double to) {
    for (Interval interval : all) {
      if (interval.from() <= to && from <= interval.to()) {
        return true;
      }
    }
    return false;
  }
}
