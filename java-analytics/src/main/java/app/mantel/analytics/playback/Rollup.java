package app.mantel.analytics.playback;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.settings.DayBorders;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
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
  private static final Logger log = LoggerFactory.getLogger(Rollup.class);

  /** Days made in one piece: bounds memory, and how long the one writer is held. */
  private static final int DAYS_AT_ONCE = 16;

  private static final long DAY_MS = 86_400_000;

  private final Database database;
  private final DayBorders borders;
  private final DirtyDays dirty;

  Rollup(Database database, DayBorders borders, DirtyDays dirty) {
    this.database = database;
    this.borders = borders;
    this.dirty = dirty;
  }

  /** Makes every day that is dirty now; returns how many were made. */
  public synchronized int run() {
    followTimeZone();
    long began = System.nanoTime();
    NavigableMap<LocalDate, Long> marks = dirtyDays();
    if (marks.isEmpty()) {
      return 0;
    }
    NavigableSet<LocalDate> days = new TreeSet<>(marks.keySet());
    for (List<LocalDate> run : runs(marks.keySet(), Integer.MAX_VALUE)) {
      days.addAll(daysOfSessionsAround(run.get(0), run.get(run.size() - 1)));
    }
    for (List<LocalDate> piece : runs(days, DAYS_AT_ONCE)) {
      make(piece, marks);
    }
    if (days.size() > DAYS_AT_ONCE) {
      database.learn("playback_session", "visit", "rollup_play", "rollup_search");
      log.info(
          "counted {} days in {} s", days.size(), (System.nanoTime() - began) / 100_000_000 / 10.0);
    }
    return days.size();
  }

  /** Days that follow each other, at most {@code most} together; {@code days} rise. */
  static List<List<LocalDate>> runs(Collection<LocalDate> days, int most) {
    List<List<LocalDate>> runs = new ArrayList<>();
    LocalDate before = LocalDate.MIN;
    for (LocalDate day : days) {
      if (!before.plusDays(1).equals(day) || runs.get(runs.size() - 1).size() == most) {
        runs.add(new ArrayList<>());
      }
      runs.get(runs.size() - 1).add(day);
      before = day;
    }
    return runs;
  }

  /** In another time zone all days begin at another moment: what can be counted again, is. */
  private void followTimeZone() {
    String zone = borders.zone().getId();
    boolean same =
        database
            .read()
            .sql("select 1 from note where name = 'timezone' and value = ?")
            .param(zone)
            .query(Integer.class)
            .optional()
            .isPresent();
    if (same) {
      return;
    }
    database.write(
        store -> {
          String first = dirty.first().toString();
          for (String table : List.of("playback_session", "visit")) {
            store.sql().sql("delete from " + table + " where start_day >= ?").param(first).update();
          }
          for (String table : List.of("rollup_play", "rollup_search")) {
            store.sql().sql("delete from " + table + " where day >= ?").param(first).update();
          }
          Set<LocalDate> days = new TreeSet<>();
          store
              .sql()
              .sql("select distinct began_at / " + DAY_MS + " from event")
              .query(
                  row -> {
                    long at = row.getLong(1) * DAY_MS;
                    borders.days(at, at + DAY_MS).forEach(days::add);
                  });
          dirty.mark(store, days);
          return store
              .sql()
              .sql(
                  "insert into note (name, value) values ('timezone', ?)"
                      + " on conflict (name) do update set value = excluded.value")
              .param(zone)
              .update();
        });
  }

  private NavigableMap<LocalDate, Long> dirtyDays() {
    NavigableMap<LocalDate, Long> marks = new TreeMap<>();
    database
        .read()
        .sql("select day, marked from rollup_dirty")
        .query(
            rows -> {
              marks.put(LocalDate.parse(rows.getString(1)), rows.getLong(2));
            });
    return marks;
  }

  /** Days of sessions and visits that new events of these days might lengthen or join. */
  private List<LocalDate> daysOfSessionsAround(LocalDate first, LocalDate last) {
    return database
        .read()
        .sql(
            "select start_day from playback_session where ended_at >= :from and started_at < :to"
                + " union select start_day from visit where ended_at >= :from and started_at < :to")
        .param("from", borders.start(first) - Chains.GAP_MS)
        .param("to", borders.end(last) + Chains.GAP_MS)
        .query(String.class)
        .list()
        .stream()
        .map(LocalDate::parse)
        .toList();
  }

  private void make(List<LocalDate> days, Map<LocalDate, Long> marks) {
    long from = borders.start(days.get(0));
    long to = borders.end(days.get(days.size() - 1));
    DayTotals totals =
        database.read(
            sql -> {
              DayTotals made = new DayTotals(days, borders, new Lengths(sql, from, to)::of);
              // What reaches over the borders is read whole.
              long next = earliest(sql, from);
              for (long until = to; next <= until; until = made.reach(to)) {
                RawEvents.read(sql, next, until + 1, made);
                next = until + 1;
              }
              made.finish();
              return made;
            });
    database.write(
        store -> {
          totals.replace(store);
          for (LocalDate day : days) {
            Long marked = marks.get(day);
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

  /** When the sessions began that may go on at {@code border}. */
  private static long earliest(JdbcClient sql, long border) {
    long found = border - Chains.GAP_MS;
    for (String table : List.of("playback_session", "visit")) {
      found =
          sql.sql(
                  "select coalesce(min(started_at), :found) from "
                      + table
                      + " where ended_at >= :from and started_at < :to")
              .param("found", found)
              .param("from", border - Chains.GAP_MS)
              .param("to", border)
              .query(Long.class)
              .single();
    }
    return found;
  }
}
