package app.mantel.analytics.playback;

import org.jspecify.annotations.Nullable;

/**
 * What the playback model must know of a file.
 *
 * @param durationSec 0 while unknown
 * @param timed whether it plays in time: photos and papers do not
 * @param index bytes to seconds; null while the duration is unknown
 * @param exact whether {@code index} is more than a straight line over uneven bytes
 */
public record Media(
    double durationSec, boolean timed, @Nullable ByteTimeIndex index, boolean exact) {
  public static final Media UNKNOWN = new Media(0, true, null, false);

  /** Shortest watching, in seconds, that counts as a play; half the file where that is less. */
  double enoughSeconds() {
    double enough = Math.max(30, Math.min(0.05 * durationSec, 120));
    return durationSec > 0 ? Math.min(enough, durationSec / 2) : enough;
  }
}
