package app.mantel.analytics.schedule;

import app.mantel.analytics.db.Database;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** What ran when, and what waits to be read. */
@RestController
class JobController {
  private static final int MOST = 50;

  private final Database database;

  JobController(Database database) {
    this.database = database;
  }

  record Jobs(
      List<Run> runs,
      @Schema(description = "Files that wait to be read, by kind: describe, checksum, verify.")
          Map<String, Long> waiting) {}

  record Run(
      @Schema(description = "rollups, retention, ranking, popularity or verification.") String name,
      String period,
      String startedAt,
      @Nullable String finishedAt,
      @Schema(description = "running, done, failed, or interrupted where the box went off.")
          String status,
      @Nullable String error) {}

  @Operation(summary = "Which jobs ran when, the last 50, and which files wait to be read")
  @GetMapping("/api/analytics/jobs")
  Jobs jobs() {
    return new Jobs(
        database
            .read()
            .sql(
                "select name, period, started_at, finished_at, status, error from job_run"
                    + " order by started_at desc, name limit "
                    + MOST)
            .query(
                (row, n) ->
                    new Run(
                        row.getString(1),
                        row.getString(2),
                        Instant.ofEpochMilli(row.getLong(3)).toString(),
                        row.getLong(4) == 0
                            ? null
                            : Instant.ofEpochMilli(row.getLong(4)).toString(),
                        row.getString(5),
                        row.getString(6)))
            .list(),
        waiting());
  }

  private Map<String, Long> waiting() {
    Map<String, Long> counts = new TreeMap<>();
    database
        .read()
        .sql("select kind, count(*) from analysis_job where set_aside is null group by kind")
        .query(
            row -> {
              counts.put(row.getString(1), row.getLong(2));
            });
    return counts;
  }
}
