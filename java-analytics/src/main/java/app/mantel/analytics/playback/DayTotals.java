package app.mantel.analytics.playback;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.playback.PlayEvent.Kind;
import app.mantel.analytics.playback.PlaybackModel.Watched;
import app.mantel.analytics.privacy.Aliases;
import app.mantel.analytics.settings.DayBorders;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Counts some days anew from their raw events, and puts the result in the place of the old. */
final class DayTotals implements RawEvents.Reader {
  private record Player(String viewer, @Nullable String person, String fileId) {}

  private record PlayKey(String day, String fileId, String viewer) {}

  private record SearchKey(String day, String query, String person) {}

  private static final class Play {
    int streams;
    int downloads;
    int plays;
    int completed;
    int views;
    long watchSeconds;
    long bytes;
  }

  private final Set<LocalDate> days;
  private final DayBorders borders;
  private final Function<String, Media> media;
  private final Chains<Player, PlayEvent> playbacks = new Chains<>(this::playback);
  private final Chains<String, Boolean> visits = new Chains<>(this::visit);
  private final List<Object[]> sessionRows = new ArrayList<>();
  private final List<Object[]> visitRows = new ArrayList<>();
  private final Map<PlayKey, Play> plays = new HashMap<>();
  private final Map<SearchKey, int[]> searches = new HashMap<>();

  DayTotals(Collection<LocalDate> days, DayBorders borders, Function<String, Media> media) {
    this.days = Set.copyOf(days);
    this.borders = borders;
    this.media = media;
  }

  @Override
  public void row(RawEvents.Row row) {
    LocalDate day = borders.day(row.beganAt());
    boolean ours = days.contains(day);
    String person = row.person();
    if (person != null && !row.type().startsWith("user_")) {
      visits.add(person, row.beganAt(), row.endedAt(), true);
    }
    String fileId = row.fileId();
    switch (row.type()) {
      case "span", "ping", "cast_position" -> {
        if (fileId != null) {
          playbacks.add(
              new Player(row.viewer(), person, fileId), row.beganAt(), row.endedAt(), sign(row));
        }
      }
      case "download" -> {
        if (ours && fileId != null) {
          play(day, fileId, row.viewer()).downloads++;
        }
      }
      case "view" -> {
        if (ours && fileId != null) {
          play(day, fileId, row.viewer()).views++;
        }
      }
      case "search" -> {
        if (ours) {
          search(day, row);
        }
      }
      default -> {}
    }
  }

  private static PlayEvent sign(RawEvents.Row row) {
    String device = row.device() == null ? "" : row.device();
    if (row.type().equals("span")) {
      return PlayEvent.span(row.beganAt(), row.endedAt(), device, row.firstByte(), row.bytes());
    }
    Kind kind = row.type().equals("ping") ? Kind.PING : Kind.CAST_POSITION;
    String state = row.state() == null ? "" : row.state();
    return PlayEvent.position(kind, row.beganAt(), device, state, row.position(), row.rate());
  }

  private void search(LocalDate day, RawEvents.Row row) {
    String query = row.query();
    if (query == null) {
      return;
    }
    String person = row.person();
    String who = person == null || person.startsWith(Aliases.ANONYMOUS) ? "anon" : person;
    int[] counts =
        searches.computeIfAbsent(new SearchKey(day.toString(), query, who), key -> new int[2]);
    counts[0]++;
    counts[1] += row.results() == 0 ? 1 : 0;
  }

  private Play play(LocalDate day, String fileId, String viewer) {
    return plays.computeIfAbsent(new PlayKey(day.toString(), fileId, viewer), key -> new Play());
  }

  /** How far events must be read for the sessions that began before {@code border}. */
  long reach(long border) {
    return Math.max(playbacks.reach(border), visits.reach(border));
  }

  void finish() {
    playbacks.finish();
    visits.finish();
  }

  private void playback(Player player, Chains.Chain<PlayEvent> chain) {
    LocalDate day = borders.day(chain.startedAt);
    if (!days.contains(day)) {
      return;
    }
    Watched watched = PlaybackModel.watched(chain.events, media.apply(player.fileId()));
    long bytes = chain.events.stream().mapToLong(PlayEvent::bytes).sum();
    sessionRows.add(
        new Object[] {
          player.viewer(),
          player.fileId(),
          chain.startedAt,
          chain.endedAt,
          day.toString(),
          player.person(),
          bytes,
          watched.watchSeconds(),
          watched.counted() ? 1 : 0,
          watched.completed() ? 1 : 0,
          watched.estimated() ? 1 : 0,
          watched.coverage(),
          watched.replayed(),
        });
    Play play = play(day, player.fileId(), player.viewer());
    play.streams += bytes > 0 ? 1 : 0;
    play.plays += watched.counted() ? 1 : 0;
    play.completed += watched.completed() ? 1 : 0;
    play.watchSeconds += watched.watchSeconds();
    play.bytes += bytes;
  }

  private void visit(String person, Chains.Chain<Boolean> chain) {
    LocalDate day = borders.day(chain.startedAt);
    if (!days.contains(day)) {
      return;
    }
    visitRows.add(new Object[] {person, chain.startedAt, chain.endedAt, day.toString()});
  }

  /** Old rows of these days out, new ones in. */
  void replace(Database.Writing store) {
    List<Object[]> these = days.stream().map(day -> new Object[] {day.toString()}).toList();
    store.each("delete from playback_session where start_day = ?", these);
    store.each("delete from visit where start_day = ?", these);
    store.each("delete from rollup_play where day = ?", these);
    store.each("delete from rollup_search where day = ?", these);
    store.insert(
        "playback_session (viewer, file_id, started_at, ended_at, start_day, person,"
            + " bytes, watch_seconds, counted, completed, estimated, coverage, replayed)",
        sessionRows);
    store.insert("visit (person, started_at, ended_at, start_day)", visitRows);
    store.insert(
        "rollup_play (day, file_id, viewer, streams, downloads, plays, completed, views,"
            + " watch_seconds, bytes)",
        plays.entrySet().stream()
            .map(
                entry -> {
                  PlayKey key = entry.getKey();
                  Play play = entry.getValue();
                  return new Object[] {
                    key.day(),
                    key.fileId(),
                    key.viewer(),
                    play.streams,
                    play.downloads,
                    play.plays,
                    play.completed,
                    play.views,
                    play.watchSeconds,
                    play.bytes
                  };
                })
            .toList());
    store.insert(
        "rollup_search (day, query, person, count, without_result)",
        searches.entrySet().stream()
            .map(
                entry -> {
                  SearchKey key = entry.getKey();
                  int[] counts = entry.getValue();
                  return new Object[] {key.day(), key.query(), key.person(), counts[0], counts[1]};
                })
            .toList());
  }
}
