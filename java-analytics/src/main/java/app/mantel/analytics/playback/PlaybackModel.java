package app.mantel.analytics.playback;

import app.mantel.analytics.playback.PlayEvent.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * From the signs of one session to what was watched.
 *
 * <p>Rules:
 *
 * <ol>
 *   <li>A player's pings count before cast positions, and those before byte spans: a lower sign
 *       that falls into the time of a higher one, a minute more on either side, is not looked at.
 *   <li>Between two positions the medium was watched if it moved on no faster than the clock; after
 *       a jump only the few seconds that a player lets pass between two pings are taken.
 *   <li>Bytes are what a player has taken, not what was seen: they count up to the time that
 *       passed. Bytes read twice count once. A short read at the end of a file is a look at its
 *       index.
 *   <li>More than ten minutes of film at more than four times its speed is a download.
 *   <li>A play is as much as {@link Media#enoughSeconds}; complete is 85 % of the file.
 * </ol>
 */
final class PlaybackModel {
  private static final double COMPLETE = 0.85;
  private static final long MARGIN_MS = 60_000;
  private static final double CLOCK_SLACK = 1.25;
  private static final double POSITION_SLACK_SEC = 2;
  private static final double PING_EVERY_SEC = 10;
  private static final double BUFFER_SEC = 30;
  private static final double DOWNLOAD_SPEED = 4;
  private static final double DOWNLOAD_LEAST_SEC = 600;
  private static final double TAIL = 0.95;
  private static final double TAIL_READ_SEC = 5;

  /**
   * What came of a session.
   *
   * @param watchSeconds of the medium, with what was seen again; whole seconds, so that sums of
   *     them are exact in any order
   * @param coverage 100 counts, null while the duration is unknown
   * @param estimated whether bytes were turned into time by a straight line
   */
  record Watched(
      long watchSeconds,
      boolean counted,
      boolean completed,
      boolean estimated,
      byte @Nullable [] coverage) {

    /** How many of the parts were seen again. */
    int replayed() {
      int again = 0;
      for (byte count : coverage == null ? new byte[0] : coverage) {
        again += count > 1 ? 1 : 0;
      }
      return again;
    }
  }

  private PlaybackModel() {}

  /** {@code events} of one viewer and file, without a gap that ends a session. */
  static Watched watched(List<PlayEvent> events, Media media) {
    if (!media.timed()) {
      return new Watched(0, false, false, false, null);
    }
    List<PlayEvent> sorted = new ArrayList<>(events);
    sorted.sort(
        Comparator.comparingLong(PlayEvent::beganAt)
            .thenComparingDouble(PlayEvent::position)
            .thenComparing(PlayEvent::state));
    Intervals watched = new Intervals();
    Intervals higher = new Intervals();
    fromPositions(sorted, Kind.PING, media, higher, watched);
    fromPositions(sorted, Kind.CAST_POSITION, media, higher, watched);
    boolean estimated = fromSpans(sorted, media, higher, watched);
    double seconds = watched.total();
    double covered = watched.union().total();
    return new Watched(
        Math.round(seconds),
        seconds > 0 && seconds >= media.enoughSeconds(),
        media.durationSec() > 0 && covered >= COMPLETE * media.durationSec(),
        estimated,
        media.durationSec() > 0 ? Segments.of(watched, media.durationSec()) : null);
  }

  /** Adds what {@code kind} tells to {@code watched}, and its time to {@code higher}. */
  private static void fromPositions(
      List<PlayEvent> events, Kind kind, Media media, Intervals higher, Intervals watched) {
    Map<String, List<PlayEvent>> byDevice = new LinkedHashMap<>();
    for (PlayEvent event : events) {
      if (event.kind() == kind) {
        byDevice.computeIfAbsent(event.device(), device -> new ArrayList<>()).add(event);
      }
    }
    Intervals seen = new Intervals();
    for (List<PlayEvent> positions : byDevice.values()) {
      @Nullable PlayEvent before = null;
      for (PlayEvent now : positions) {
        if (higher.touches(now.beganAt(), now.beganAt())) {
          before = null;
          continue;
        }
        if (before != null) {
          betweenTwo(before, now, media, watched);
        }
        seen.add(now.beganAt() - MARGIN_MS, now.beganAt() + MARGIN_MS);
        before = now;
      }
    }
    seen.union().all().forEach(stretch -> higher.add(stretch.from(), stretch.to()));
  }

  private static void betweenTwo(PlayEvent before, PlayEvent now, Media media, Intervals watched) {
    if (!before.running()) {
      return;
    }
    double passed = (now.beganAt() - before.beganAt()) / 1000.0 * before.rate();
    double moved = now.position() - before.position();
    boolean played = moved >= 0 && moved <= passed * CLOCK_SLACK + POSITION_SLACK_SEC;
    double to = before.position() + (played ? moved : Math.min(passed, PING_EVERY_SEC));
    watched.add(
        before.position(), media.durationSec() > 0 ? Math.min(to, media.durationSec()) : to);
  }

  /** Returns whether the straight line was needed. */
  private static boolean fromSpans(
      List<PlayEvent> events, Media media, Intervals higher, Intervals watched) {
    ByteTimeIndex index = media.index();
    if (index == null) {
      return false;
    }
    Intervals clock = new Intervals();
    Intervals limited = new Intervals();
    double raw = 0;
    boolean alone = events.stream().filter(event -> event.kind() == Kind.SPAN).count() == 1;
    for (PlayEvent span : events) {
      if (span.kind() != Kind.SPAN
          || span.bytes() == 0
          || higher.touches(span.beganAt(), span.endedAt())) {
        continue;
      }
      double elapsed = (span.endedAt() - span.beganAt()) / 1000.0;
      double from = index.secondsAt(span.firstByte());
      double to = index.secondsAt(span.firstByte() + span.bytes());
      boolean tail = from > TAIL * media.durationSec() && elapsed < TAIL_READ_SEC;
      if (to - from < 1 || (tail && !alone)) {
        continue;
      }
      clock.add(
          span.beganAt() / 1000.0,
          Math.max(span.endedAt() / 1000.0, span.beganAt() / 1000.0 + 0.001));
      raw += to - from;
      limited.add(from, Math.min(to, from + elapsed * CLOCK_SLACK + BUFFER_SEC));
    }
    double passed = clock.union().total();
    if (passed == 0 || (raw > DOWNLOAD_LEAST_SEC && raw > passed * DOWNLOAD_SPEED)) {
      return false;
    }
    double rest = passed * CLOCK_SLACK + BUFFER_SEC;
    for (Intervals.Interval stretch : limited.union().all()) {
      double length = Math.min(stretch.length(), rest);
      watched.add(stretch.from(), stretch.from() + length);
      rest -= length;
    }
    return !media.exact();
  }
}
