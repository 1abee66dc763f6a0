package app.mantel.analytics.search;

import java.text.Normalizer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/**
 * Likeness of two texts as PostgreSQL's pg_trgm has it, the same on both stores. Words are runs of
 * letters and digits, lower case by code point, padded by two blanks before and one behind.
 */
final class Trigrams {
  /** pg_trgm's own default. */
  static final float ALIKE = 0.3f;

  private final int[] sorted;

  private Trigrams(int[] sorted) {
    this.sorted = sorted;
  }

  static Trigrams of(String text) {
    Set<Integer> found = new HashSet<>();
    StringBuilder word = new StringBuilder();
    Normalizer.normalize(text, Normalizer.Form.NFC)
        .codePoints()
        .forEach(
            point -> {
              if (Character.isLetterOrDigit(point)) {
                word.appendCodePoint(Character.toLowerCase(point));
              } else {
                take(word, found);
              }
            });
    take(word, found);
    return new Trigrams(found.stream().mapToInt(Integer::intValue).sorted().toArray());
  }

  private static void take(StringBuilder word, Set<Integer> found) {
    if (word.isEmpty()) {
      return;
    }
    int[] points = ("  " + word + " ").codePoints().toArray();
    for (int i = 0; i + 2 < points.length; i++) {
      // Three code points of 21 bits folded into 32: a rare collision costs nothing that shows.
      found.add((points[i] * 31 + points[i + 1]) * 0x9E3779B1 + points[i + 2]);
    }
    word.setLength(0);
  }

  /** Shared by all, from 0 to 1; 0 where one has no letter. */
  float similarity(Trigrams other) {
    int shared = 0;
    int i = 0;
    int j = 0;
    while (i < sorted.length && j < other.sorted.length) {
      int order = Integer.compare(sorted[i], other.sorted[j]);
      shared += order == 0 ? 1 : 0;
      i += order <= 0 ? 1 : 0;
      j += order >= 0 ? 1 : 0;
    }
    int all = sorted.length + other.sorted.length - shared;
    return all == 0 ? 0 : (float) shared / all;
  }

  @Override
  public String toString() {
    return Arrays.toString(sorted);
  }
}
