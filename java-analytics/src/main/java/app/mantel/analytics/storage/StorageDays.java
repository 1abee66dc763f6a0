package app.mantel.analytics.storage;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.settings.DayBorders;
import java.time.LocalDate;
import java.util.List;
import java.util.TreeMap;
import org.springframework.stereotype.Component;

/**
 * Makes rollup_storage from file_change: what the library weighed at the end of each day on which
 * it changed. Since changes are only ever added, their number tells whether there is anything new.
 */
@Component
public class StorageDays {
  private static final String CHANGES =
      "select at, coalesce(size_bytes, 0) - coalesce(lag(size_bytes) over of_file, 0),"
          + " case when size_bytes is null then 0 else 1 end"
          + " - case when lag(size_bytes) over of_file is null then 0 else 1 end"
          + " from file_change"
          + " window of_file as (partition by file_id order by at, seq, event_id)";

  private record Change(long bytes, long files) {
    Change and(Change other) {
      return new Change(bytes + other.bytes, files + other.files);
    }
  }

  private final Database database;
  private final DayBorders borders;

  StorageDays(Database database, DayBorders borders) {
    this.database = database;
    this.borders = borders;
  }

  /** Makes the table anew unless nothing changed, neither a file nor the time zone. */
  public synchronized void run() {
    long changes =
        database.read().sql("select count(*) from file_change").query(Long.class).single();
    String state = changes + " " + borders.zone();
    boolean current =
        database
            .read()
            .sql("select 1 from note where name = 'storage' and value = ?")
            .param(state)
            .query(Integer.class)
            .optional()
            .isPresent();
    if (current) {
      return;
    }
    TreeMap<LocalDate, Change> days = new TreeMap<>();
    database.read(
        sql -> {
          sql.sql(CHANGES)
              .query(
                  row -> {
                    days.merge(
                        borders.day(row.getLong(1)),
                        new Change(row.getLong(2), row.getLong(3)),
                        Change::and);
                  });
          return true;
        });
    Change[] total = {new Change(0, 0)};
    List<Object[]> rows =
        days.entrySet().stream()
            .map(
                day -> {
                  total[0] = total[0].and(day.getValue());
                  return new Object[] {day.getKey().toString(), total[0].bytes(), total[0].files()};
                })
            .toList();
    database.write(
        store -> {
          store.sql().sql("delete from rollup_storage").update();
          store.insert("rollup_storage (day, total_bytes, files)", rows);
          return store
              .sql()
              .sql(
                  "insert into note (name, value) values ('storage', ?)"
                      + " on conflict (name) do update set value = excluded.value")
              .param(state)
              .update();
        });
  }
}
