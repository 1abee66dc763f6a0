package app.mantel.analytics.storage;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.settings.DayBorders;
import app.mantel.analytics.settings.Settings;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** How much there is, how fast it grows, what lies twice or cold. */
@RestController
class StorageController {
  private static final int MOST_DAYS = 90;
  static final long COLD_DAYS = 180;

  /** Conditions of a file that nobody used for {@code :cold}; the parameter is a day. */
  static final String COLD =
      " l.removed_at is null and l.added_at < :coldAt and not exists (select 1 from rollup_play p"
          + " where p.file_id = l.file_id and p.day >= :coldDay)";

  private final Database database;
  private final DayBorders borders;
  private final Settings settings;
  private final Clock clock;

  StorageController(Database database, DayBorders borders, Settings settings, Clock clock) {
    this.database = database;
    this.borders = borders;
    this.settings = settings;
    this.clock = clock;
  }

  record Stats(
      @Schema(description = "Files that are there now.") long files,
      long bytes,
      @Schema(description = "Since the first event.") long streams,
      @Schema(description = "Since the first event.") long downloads,
      @Schema(description = "Accounts that are known now.") long users) {}

  @Operation(summary = "The household in five numbers")
  @GetMapping("/api/stats")
  Stats stats() {
    return database
        .read()
        .sql(
            "select l.files, l.bytes, p.streams, p.downloads, (select count(*) from person) from"
                + " (select count(*) as files, coalesce(sum(size_bytes), 0) as bytes"
                + " from library_file where removed_at is null) l cross join"
                + " (select coalesce(sum(streams), 0) as streams, coalesce(sum(downloads), 0) as downloads"
                + " from rollup_play where streams + downloads + plays > 0) p")
        .query(
            (row, n) ->
                new Stats(
                    row.getLong(1), row.getLong(2), row.getLong(3), row.getLong(4), row.getLong(5)))
        .single();
  }

  @Operation(summary = "How much there is, how fast it grows, what lies twice or cold")
  @GetMapping("/api/analytics/storage/summary")
  StorageReport summary() {
    Map<String, StorageReport.OfType> byType = new TreeMap<>();
    database
        .read()
        .sql(
            "select type, count(*), sum(size_bytes) from library_file where removed_at is null group by type")
        .query(
            row -> {
              byType.put(
                  row.getString(1), new StorageReport.OfType(row.getLong(2), row.getLong(3)));
            });
    List<StorageReport.Day> perDay = perDay();
    Double slope =
        Growth.perDay(perDay.stream().mapToDouble(StorageReport.Day::totalBytes).toArray());
    Long growth = slope == null ? null : Math.round(slope);
    return new StorageReport(
        byType.values().stream().mapToLong(StorageReport.OfType::bytes).sum(),
        byType.values().stream().mapToLong(StorageReport.OfType::files).sum(),
        byType,
        perDay,
        growth,
        daysToFull(growth),
        duplicates(),
        coldBytes());
  }

  /** The days between two changes weigh what the first left. */
  private List<StorageReport.Day> perDay() {
    NavigableMap<LocalDate, Long> ends = new TreeMap<>();
    database
        .read()
        .sql("select day, total_bytes from rollup_storage")
        .query(
            row -> {
              ends.put(LocalDate.parse(row.getString(1)), row.getLong(2));
            });
    LocalDate today = borders.day(clock.millis());
    LocalDate begun = ends.isEmpty() ? today : ends.firstKey();
    LocalDate first = today.minusDays(MOST_DAYS - 1L);
    List<StorageReport.Day> days = new ArrayList<>();
    for (LocalDate day = begun.isBefore(first) ? first : begun;
        !day.isAfter(today) && !ends.isEmpty();
        day = day.plusDays(1)) {
      days.add(new StorageReport.Day(day.toString(), ends.floorEntry(day).getValue()));
    }
    return days;
  }

  private @Nullable Long daysToFull(@Nullable Long growth) {
    if (growth == null || growth <= 0) {
      return null;
    }
    long free = 0;
    Set<FileStore> seen = new HashSet<>();
    for (Path root : settings.library()) {
      try {
        FileStore store = Files.getFileStore(root);
        free += seen.add(store) ? store.getUsableSpace() : 0;
      } catch (IOException away) {
        return null;
      }
    }
    return settings.library().isEmpty() ? null : free / growth;
  }

  private StorageReport.Duplicates duplicates() {
    return database
        .read()
        .sql(
            "select coalesce(sum(bytes), 0), count(*) from (select (count(*) - 1) * max(l.size_bytes) as bytes"
                + " from library_file l join file_facts f on f.file_id = l.file_id"
                + " where l.removed_at is null and f.sha256 is not null and l.size_bytes > 0"
                + " group by f.sha256, l.size_bytes having count(*) > 1) g")
        .query((row, n) -> new StorageReport.Duplicates(row.getLong(1), row.getLong(2)))
        .single();
  }

  private long coldBytes() {
    LocalDate day = borders.day(clock.millis()).minusDays(COLD_DAYS);
    return database
        .read()
        .sql("select coalesce(sum(l.size_bytes), 0) from library_file l where" + COLD)
        .param("coldAt", borders.start(day))
        .param("coldDay", day.toString())
        .query(Long.class)
        .single();
  }
}
