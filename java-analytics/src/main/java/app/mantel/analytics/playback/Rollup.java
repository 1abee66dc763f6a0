package app.mantel.analytics.playback;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.settings.DayBorders;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Makes the rollups of dirty days anew from the raw events: sessions, visits, totals.
 *
 * <p>Rules: a day is made wholly or not at all. A session belongs to the day on which it began, so
 * a day that a session reaches into makes the day of its beginning dirty too. Running twice changes
 * nothing.
 */
@Component
public class Rollup {
  /** Days made in one piece: bounds memory, and how long the one writer is held. */
  private static final int DAYS_AT_ONCE = 16;

  private final Database database;
  private final DayBorders borders;
  private final Library library;

  Rollup(Database database, DayBorders borders) {
    this.database = database;
    this.borders = borders;
    library = new Library();
  }

  /** Makes every day that is dirty now; returns how many were made. */
  public int run() {
    NavigableMap<LocalDate, Long> dirty = dirtyDays();
    if (dirty.isEmpty()) {
      return 0;
    }
    NavigableSet<LocalDate> days = new TreeSet<>(dirty.keySet());
    for (LocalDate day : dirty.keySet()) {
      days.addAll(daysOfSessionsAround(day));
    }
    library.read(database.read());
    List<LocalDate> piece = new ArrayList<>();
    for (LocalDate day : days) {
      boolean goesOn = !piece.isEmpty() && piece.get(piece.size() - 1).plusDays(1).equals(day);
      if (!piece.isEmpty() && (!goesOn || piece.size() == DAYS_AT_ONCE)) {
        make(piece, dirty);
        piece.clear();
      }
      piece.add(day);
    }
    make(piece, dirty);
    return days.size();
  }

  private NavigableMap<LocalDate, Long> dirtyDays() {
    NavigableMap<LocalDate, Long> dirty = new TreeMap<>();
    database
        .read()
        .sql("select day, marked from rollup_dirty")
        .query(
            rows -> {
              dirty.put(LocalDate.parse(rows.getString(1)), rows.getLong(2));
            });
    return dirty;
  }

  /** Days of sessions and visits that new events of {@code day} might lengthen or join. */
  private List<LocalDate> daysOfSessionsAround(LocalDate day) {
    return database
        .read()
        .sql(
            "select start_day from playback_session where ended_at >= :from and started_at < :to"
                + " union select start_day from visit where ended_at >= :from and started_at < :to")
        .param("from", borders.start(day) - Chains.GAP_MS)
        .param("to", borders.end(day) + Chains.GAP_MS)
        .query(String.class)
        .list()
        .stream()
        .map(LocalDate::parse)
        .toList();
  }

  private void make(List<LocalDate> days, Map<LocalDate, Long> dirty) {
    long from = borders.start(days.get(0));
    long to = borders.end(days.get(days.size() - 1));
    DayTotals totals =
        database.read(
            sql -> {
              // What reaches over the borders is read whole.
              long first = reach(sql, "min(started_at)", from, from - Chains.GAP_MS);
              long last = reach(sql, "max(ended_at)", to, to + Chains.GAP_MS);
              DayTotals made = new DayTotals(days, borders, library::media);
              RawEvents.read(sql, first, last + 1, made);
              made.finish();
              return made;
            });
    database.write(
        store -> {
          totals.replace(store);
          for (LocalDate day : days) {
            Long marked = dirty.get(day);
            if (marked != null) {
              store
                  .sql()
                  .sql("delete from rollup_dirty where day = ? and marked = ?")
                  .params(day.toString(), marked)
                  .update();
            }
          }
          return days;
        });
  }

  /** The furthest moment of any session known to lie over {@code border}, or {@code least}. */
  private static long reach(JdbcClient sql, String furthest, long border, long least) {
    long found = least;
    for (String table : List.of("playback_session", "visit")) {
      Long reached =
          sql.sql(
                  "select "
                      + furthest
                      + " from "
                      + table
                      + " where ended_at >= :from and started_at < :to")
              .param("from", border - Chains.GAP_MS)
              .param("to", border + Chains.GAP_MS)
              .query((rows, n) -> rows.getObject(1) == null ? least : rows.getLong(1))
              .single();
      found = least < border ? Math.min(found, reached) : Math.max(found, reached);
    }
    return found;
  }

  /** How long each file plays, read once a run. */
  private static final class Library {
    private static final Set<String> STILL = Set.of("image", "document", "other");
    private final Map<String, Media> media = new HashMap<>();

    void read(JdbcClient sql) {
      media.clear();
      sql.sql(
              "select l.file_id, l.type, l.size_bytes, f.duration_sec, f.keyframes"
                  + " from library_file l left join file_facts f on f.file_id = l.file_id")
          .query(
              rows -> {
                boolean timed = !STILL.contains(rows.getString(2));
                double duration = rows.getDouble(4);
                byte[] keyframes = rows.getBytes(5);
                ByteTimeIndex index =
                    duration <= 0
                        ? null
                        : keyframes != null
                            ? ByteTimeIndex.decode(keyframes)
                            : ByteTimeIndex.linear(rows.getLong(3), duration);
                media.put(rows.getString(1), new Media(duration, timed, index, keyframes != null));
              });
    }

    Media media(String fileId) {
      return media.getOrDefault(fileId, Media.UNKNOWN);
    }
  }
}
