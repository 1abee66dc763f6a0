package app.mantel.analytics.library;

import java.util.Locale;

/**
 * What is learnt of a file. Each kind has a thread of its own: a new film does not wait for an old
 * one's bytes.
 */
enum AnalysisKind {
  /** Duration, size of the picture, codecs, tags: what a list shows. */
  DESCRIBE,
  /** Checksum; and for videos without an index of their own the positions of keyframes. */
  CHECKSUM,
  /** The checksum once more, months later and slowly: are the bytes still the same? */
  VERIFY;

  /** A file that is still being written is not hashed: so long it must have been quiet. */
  private static final long QUIET_MS = 10_000;

  /**
   * Tries that may stay unfinished. What only adds bytes up cannot bring the daemon down, but takes
   * so long that a box is switched off in the middle.
   */
  int mostAttempts() {
    return this == DESCRIBE ? 2 : 5;
  }

  /** Whether files of this type are read so as soon as they are known. */
  boolean fits(String type) {
    return switch (this) {
      case DESCRIBE -> type.equals("video") || type.equals("audio") || type.equals("image");
      case CHECKSUM -> true;
      case VERIFY -> false;
    };
  }

  String stored() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Epoch milliseconds before which the work does not begin; what is smaller comes first. Of files
   * to describe the one that the appliance told of last comes first, however many wait.
   */
  long notBefore(long mtimeMs, long toldMs) {
    return this == CHECKSUM ? mtimeMs + QUIET_MS : -toldMs;
  }
}
