package app.mantel.analytics.playback;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.settings.DayBorders;
import java.time.LocalDate;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import org.springframework.stereotype.Component;

/**
 * Days whose rollups no longer tell the truth. A mark counts up, so that one made meanwhile stays.
 */
@Component
public class DirtyDays {
  private static final String MARK =
      "insert into rollup_dirty (day, marked) values (?, 1)"
          + " on conflict (day) do update set marked = rollup_dirty.marked + 1";

  private final DayBorders borders;

  DirtyDays(DayBorders borders) {
    this.borders = borders;
  }

  /** All days that {@code from} to {@code to} touches. */
  public Collection<LocalDate> touched(long from, long to) {
    // A clock that ran wild must not mark years.
    return borders.days(from, Math.min(to, from + 2 * 86_400_000L)).collect(Collectors.toList());
  }

  public void mark(Database.Writing store, Collection<LocalDate> days) {
    store.each(MARK, days.stream().map(day -> new Object[] {day.toString()}).toList());
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
