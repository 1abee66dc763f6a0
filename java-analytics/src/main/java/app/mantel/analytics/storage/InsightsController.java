package app.mantel.analytics.storage;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.settings.DayBorders;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** What is worth a look: files that lie twice, cold files, bytes that changed by themselves. */
@RestController
class InsightsController {
  private static final int MOST = 50;

  private final Database database;
  private final DayBorders borders;
  private final Clock clock;

  InsightsController(Database database, DayBorders borders, Clock clock) {
    this.database = database;
    this.borders = borders;
    this.clock = clock;
  }

  record Insights(
      @Schema(description = "Most bytes first, then checksum.") List<Twice> duplicates,
      @Schema(description = "As in coldBytes of the storage summary, largest first, then file id.")
          List<Cold> cold,
      @Schema(
              description =
                  """
                  The checksum changed though size and time did not; newest first. Until somebody \
                  writes the file, it is removed, or a later look finds the bytes as they were.""")
          List<BitRot> bitRot,
      @Schema(description = "Files whose content could not be read, by file id.")
          List<SetAside> unreadable) {}

  record Twice(
      String sha256,
      @Schema(description = "What all but one of the files cost.") long bytes,
      List<String> fileIds) {}

  record Cold(String fileId, long sizeBytes) {}

  record BitRot(String fileId, String noticedAt, String expectedSha256, String foundSha256) {}

  record SetAside(String fileId, String reason) {}

  @Operation(summary = "What is worth a look", description = "Each list has 50 entries at most.")
  @GetMapping("/api/analytics/insights")
  Insights insights() {
    LocalDate day = borders.day(clock.millis()).minusDays(StorageController.COLD_DAYS);
    return new Insights(
        database
            .read()
            .sql(
                "select f.sha256, (count(*) - 1) * max(l.size_bytes) as bytes from library_file l"
                    + " join file_facts f on f.file_id = l.file_id where l.removed_at is null and"
                    + " f.sha256 is not null and l.size_bytes > 0 group by f.sha256, l.size_bytes having count(*) > 1"
                    + " order by bytes desc, f.sha256 limit "
                    + MOST)
            .query(
                (row, n) -> new Twice(row.getString(1), row.getLong(2), filesOf(row.getString(1))))
            .list(),
        database
            .read()
            .sql(
                "select l.file_id, l.size_bytes from library_file l where"
                    + StorageController.COLD
                    + " order by l.size_bytes desc, l.file_id limit "
                    + MOST)
            .param("coldAt", borders.start(day))
            .param("coldDay", day.toString())
            .query((row, n) -> new Cold(row.getString(1), row.getLong(2)))
            .list(),
        database
            .read()
            .sql(
                "select b.file_id, b.noticed_at, b.expected_sha256, b.found_sha256 from bit_rot b"
                    + " join library_file l on l.file_id = b.file_id and l.removed_at is null"
                    + " join file_facts f on f.file_id = b.file_id and f.sha256 = b.expected_sha256"
                    + " order by b.noticed_at desc, b.file_id limit "
                    + MOST)
            .query(
                (row, n) ->
                    new BitRot(
                        row.getString(1),
                        Instant.ofEpochMilli(row.getLong(2)).toString(),
                        row.getString(3),
                        row.getString(4)))
            .list(),
        database
            .read()
            .sql(
                "select file_id, failure from file_facts where failure is not null union"
                    + " select file_id, set_aside from analysis_job where set_aside is not null"
                    + " order by 1 limit "
                    + MOST)
            .query((row, n) -> new SetAside(row.getString(1), row.getString(2)))
            .list());
  }

  private List<String> filesOf(String sha256) {
    return database
        .read()
        .sql(
            "select l.file_id from library_file l join file_facts f on f.file_id = l.file_id"
                + " where l.removed_at is null and f.sha256 = ? order by l.file_id limit "
                + MOST)
        .param(sha256)
        .query(String.class)
        .list();
  }
}
