package app.mantel.analytics.playback;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.settings.DayBorders;
import java.time.Clock;
import java.time.LocalDate;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import org.springframework.stereotype.Component;

/**
 * Days whose rollups no longer tell the truth. A mark counts up, so that one made meanwhile stays.
 *
 * <p>Rules: raw events are kept for as long as the longest range of a report, and two days more. A
 * day that is older stays as it was counted, since it could not be counted again.
 */
@Component
public class DirtyDays {
  /** Days whose events are taken and counted, today included. */
  public static final int DAYS = 400;

  private static final int MARGIN_DAYS = 2;
  private static final String MARK =
      "insert into rollup_dirty (day, marked) values (?, 1)"
          + " on conflict (day) do update set marked = rollup_dirty.marked + 1";

  private final DayBorders borders;
  private final Clock clock;

  DirtyDays(DayBorders borders, Clock clock) {
    this.borders = borders;
    this.clock = clock;
  }

  /** The oldest day that is still counted. */
  public LocalDate first() {
    return borders.day(clock.millis()).minusDays(DAYS - 1L);
  }

  /** What began at {@code at} is counted. */
  public boolean counts(long at) {
    return at >= borders.start(first());
  }

  /** Events that began before this moment are not needed; epoch milliseconds. */
  public long needed() {
    return borders.start(first().minusDays(MARGIN_DAYS));
  }

  /** All days that {@code from} to {@code to} touches. */
  public Collection<LocalDate> touched(long from, long to) {
    return borders.days(from, to).collect(Collectors.toList());
  }

  public void mark(Database.Writing store, Collection<LocalDate> days) {
    LocalDate first = first();
    store.each(
        MARK,
        days.stream()
            .filter(day -> !day.isBefore(first))
            .map(day -> new Object[] {day.toString()})
            .toList());
  }

  /** The days on which {@code fileId} was played, since its length is known better now. */
  public void markPlaysOf(Database.Writing store, String fileId) {
    List<String> days =
        store
            .sql()
            .sql("select distinct start_day from playback_session where file_id = ?")
            .param(fileId)
            .query(String.class)
            .list();
    mark(store, days.stream().map(LocalDate::parse).toList());
  }
}
