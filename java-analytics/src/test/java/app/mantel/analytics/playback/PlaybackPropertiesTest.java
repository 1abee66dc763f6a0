package app.mantel.analytics.playback;

import static org.assertj.core.api.Assertions.assertThat;

import app.mantel.analytics.playback.PlayEvent.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;

/** What holds for whatever comes. */
class PlaybackPropertiesTest {
  @Property
  void anIndexSurvivesItsEncoding(
      @ForAll @Size(max = 800) List<@LongRange(min = 0, max = 1L << 33) Long> offsets,
      @ForAll long seed) {
    Random random = new Random(seed);
    long[] positions = offsets.stream().mapToLong(Long::longValue).toArray();
    double[] times = offsets.stream().mapToDouble(offset -> random.nextDouble() * 7200).toArray();
    ByteTimeIndex index = ByteTimeIndex.of(positions, times, 1L << 33, 7200);
    ByteTimeIndex again = ByteTimeIndex.decode(index.encode());
    double before = 0;
    for (long at = 0; at <= 1L << 33; at += (1L << 33) / 64) {
      double seconds = again.secondsAt(at);
      assertThat(seconds).isBetween(before, 7200.0);
      assertThat(seconds).isCloseTo(index.secondsAt(at), org.assertj.core.data.Offset.offset(0.01));
      before = seconds;
    }
  }

  @Property
  void theOrderOfArrivalChangesNothing(
      @ForAll @Size(min = 1, max = 40) List<@IntRange(min = 0, max = 3000) Integer> moments,
      @ForAll @DoubleRange(min = 0, max = 3000) double position,
      @ForAll long seed) {
    List<PlayEvent> events = new ArrayList<>();
    for (int at : moments) {
      events.add(
          PlayEvent.position(
              Kind.PING, at * 1000L, "d", at % 5 == 0 ? "paused" : "playing", position + at, 1));
      events.add(PlayEvent.span(at * 1000L, at * 1000L + 9000, "tv", at * 1000L, 10_000));
    }
    Media media = new Media(6000, true, ByteTimeIndex.linear(6_000_000, 6000), true);
    PlaybackModel.Watched first = PlaybackModel.watched(events, media);
    Collections.shuffle(events, new Random(seed));
    PlaybackModel.Watched second = PlaybackModel.watched(events, media);
    assertThat(second.watchSeconds()).isEqualTo(first.watchSeconds());
    assertThat(second.coverage()).isEqualTo(first.coverage());
  }
}
