package app.mantel.analytics.search;

import java.text.Normalizer;
import java.util.Arrays;

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
    String plain = Normalizer.normalize(text, Normalizer.Form.NFC);
    // A word has one trigram more than letters.
    int[] found = new int[2 * plain.length() + 1];
    int count = 0;
    int before = ' ';
    int last = ' ';
    for (int i = 0; i <= plain.length(); ) {
      int point = i < plain.length() ? plain.codePointAt(i) : ' ';
      if (Character.isLetterOrDigit(point)) {
        int letter = Character.toLowerCase(point);
        found[count++] = folded(before, last, letter);
        before = last;
        last = letter;
      } else if (last != ' ') {
        found[count++] = folded(before, last, ' ');
        before = last = ' ';
      }
      i += Character.charCount(point);
    }
    Arrays.sort(found, 0, count);
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (kept == 0 || found[i] != found[kept - 1]) {
        found[kept++] = found[i];
      }
    }
    return new Trigrams(Arrays.copyOf(found, kept));
  }

  /** Three code points of 21 bits in 32: a rare collision costs nothing that shows. */
  private static int folded(int first, int second, int third) {
    return (first * 31 + second) * 0x9E3779B1 + third;
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
