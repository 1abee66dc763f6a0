package app.mantel.analytics.playback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Index.atIndex;

import app.mantel.analytics.playback.PlayEvent.Kind;
import app.mantel.analytics.playback.PlaybackModel.Watched;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The faults that people reported of Jellystat and Tautulli, and the rules of the model. */
class PlaybackModelTest {
  private static final long START = 1_763_800_000_000L;
  private static final long SIZE = 4_000_000_000L;
  private static final Media FILM = new Media(6000, true, ByteTimeIndex.linear(SIZE, 6000), true);

  private final List<PlayEvent> events = new ArrayList<>();

  private void pings(double fromSec, double position, double seconds, String last) {
    for (double t = 0; t < seconds; t += 10) {
      at(fromSec + t, "playing", position + t);
    }
    at(fromSec + seconds, last, position + seconds);
  }

  private void at(double second, String state, double position) {
    events.add(
        PlayEvent.position(Kind.PING, START + (long) (second * 1000), "phone", state, position, 1));
  }

  private void span(double fromSec, double toSec, double fromShare, double toShare) {
    events.add(
        PlayEvent.span(
            START + (long) (fromSec * 1000),
            START + (long) (toSec * 1000),
            "tv",
            (long) (fromShare * SIZE),
            (long) ((toShare - fromShare) * SIZE)));
  }

  private Watched watched() {
    return PlaybackModel.watched(events, FILM);
  }

  @Test
  void whatIsWatchedIsCountedInSecondsOfTheFilm() {
    pings(0, 0, 600, "paused");
    assertThat(watched().watchSeconds()).isEqualTo(600);
    assertThat(watched().counted()).isTrue();
    assertThat(watched().completed()).isFalse();
  }

  @Test
  void resumingDoesNotCountWhatWasWatchedBefore() {
    pings(0, 0, 300, "paused");
    pings(1200, 300, 300, "paused");
    assertThat(watched().watchSeconds()).isEqualTo(600);
  }

  @Test
  void aLaptopThatSleepsPausedPlaysNothing() {
    for (int hour = 0; hour < 20; hour++) {
      at(hour * 1500, "paused", 42);
    }
    assertThat(watched().watchSeconds()).isZero();
    assertThat(watched().counted()).isFalse();
  }

  @Test
  void aLaptopThatSleepsWhilePlayingCountsOnlyWhatMovedOn() {
    at(0, "playing", 42);
    at(1500, "playing", 45);
    assertThat(watched().watchSeconds()).isEqualTo(3);
  }

  @Test
  void shortDropsOfTheNetworkLoseNothing() {
    at(0, "playing", 0);
    at(300, "playing", 300);
    at(320, "playing", 320);
    assertThat(watched().watchSeconds()).isEqualTo(320);
    events.clear();
    for (int i = 0; i < 25; i++) {
      span(i * 60, i * 60 + 50, i * 0.01, i * 0.01 + 0.0101);
    }
    assertThat(watched().watchSeconds()).isEqualTo(1501);
  }

  @Test
  void aJumpIsNotWatched() {
    at(0, "playing", 10);
    at(10, "seeked", 5000);
    at(20, "playing", 5010);
    assertThat(watched().watchSeconds()).isEqualTo(20);
  }

  @Test
  void aPlayersWordCountsBeforeACastsAndThatBeforeBytes() {
    pings(0, 0, 300, "paused");
    for (int t = 0; t <= 300; t += 10) {
      events.add(
          PlayEvent.position(
              Kind.CAST_POSITION, START + t * 1000L, "Living room", "playing", t, 1));
    }
    span(0, 300, 0, 0.5);
    assertThat(watched().watchSeconds()).isEqualTo(300);
    assertThat(watched().estimated()).isFalse();
  }

  @Test
  void bytesCountUpToTheTimeThatPassed() {
    span(0, 100, 0, 0.05);
    assertThat(watched().watchSeconds()).isEqualTo(155);
  }

  @Test
  void aDownloadIsNotAPlay() {
    span(0, 60, 0, 1);
    assertThat(watched().counted()).isFalse();
    assertThat(watched().watchSeconds()).isZero();
  }

  @Test
  void aLookAtTheIndexIsNotAPlay() {
    span(0, 1, 0, 0.0001);
    span(1, 2, 0.99, 1);
    assertThat(watched().watchSeconds()).isZero();
  }

  @Test
  void aFilmSeenToTheEndIsComplete() {
    pings(0, 0, 5200, "ended");
    Watched film = watched();
    assertThat(film.completed()).isTrue();
    assertThat(film.coverage()).hasSize(100).contains(1).doesNotContain(2);
  }

  @Test
  void whatWasSeenAgainShows() {
    pings(0, 0, 600, "paused");
    pings(700, 0, 600, "paused");
    assertThat(watched().coverage()).contains(2, atIndex(3));
  }

  @Test
  void photosAreNotPlayed() {
    span(0, 100, 0, 1);
    assertThat(PlaybackModel.watched(events, new Media(0, false, null, false)).counted()).isFalse();
  }

  @Test
  void bytesBecomeTimeByTheKeyframes() {
    // the first tenth of the bytes is half of the film: credits and a still
    ByteTimeIndex uneven =
        ByteTimeIndex.of(new long[] {SIZE / 10}, new double[] {3000}, SIZE, 6000);
    span(0, 3000, 0, 0.1);
    Watched exact = PlaybackModel.watched(events, new Media(6000, true, uneven, true));
    assertThat(exact.watchSeconds()).isEqualTo(3000);
    assertThat(exact.estimated()).isFalse();
    assertThat(exact.coverage()).startsWith(1).endsWith(0);
    assertThat(exact.coverage()).contains(1, atIndex(49)).contains(0, atIndex(50));
    ByteTimeIndex line = ByteTimeIndex.linear(SIZE, 6000);
    Watched estimated = PlaybackModel.watched(events, new Media(6000, true, line, false));
    assertThat(estimated.watchSeconds()).isEqualTo(600);
    assertThat(estimated.estimated()).isTrue();
  }

  @Test
  void whatAPlayerDoesNotAddUpIsNotLost() {
    // a sum over the runtime, as of somebody who goes back often, once made a whole session vanish
    for (int round = 0; round < 3; round++) {
      pings(round * 3000, 0, 2900, "paused");
    }
    assertThat(watched().watchSeconds()).isEqualTo(8700);
    assertThat(watched().counted()).isTrue();
    assertThat(watched().completed()).isFalse();
    assertThat(watched().coverage()).contains(3, atIndex(0));
  }
}
