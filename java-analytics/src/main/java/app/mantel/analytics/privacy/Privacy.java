package app.mantel.analytics.privacy;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What may be kept of a person. */
public enum Privacy {
  /** Events stand beside the user's id. */
  FULL,
  /** Counted under a pseudonym of the day, never under the id. */
  ANONYMOUS,
  /** The appliance sends nothing; what was there, or slips through, is treated as anonymous. */
  OFF;

  public static Privacy of(@Nullable String feedName) {
    return feedName == null ? FULL : valueOf(feedName.toUpperCase(Locale.ROOT));
  }

  String feedName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
