package app.mantel.analytics.library;

import java.util.Locale;

/** What is learnt of a file, cheapest first; the order is the order of work. */
enum AnalysisKind {
  /** Duration, size of the picture, codecs, tags: what a list shows. */
  DESCRIBE,
  /** Checksum; and for videos without an index of their own the positions of keyframes. */
  CHECKSUM;

  /** A file that is still being written is not hashed: so long it must have been quiet. */
  private static final long QUIET_MS = 10_000;

  boolean fits(String type) {
    return this == CHECKSUM || type.equals("video") || type.equals("audio") || type.equals("image");
  }

  String stored() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Epoch milliseconds before which the work does not begin, for a file of this time. */
  long notBefore(long mtimeMs) {
    return this == CHECKSUM ? mtimeMs + QUIET_MS : 0;
  }
}
