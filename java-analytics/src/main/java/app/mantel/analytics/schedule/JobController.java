package app.mantel.analytics.schedule;

import app.mantel.analytics.db.Database;
import io.swagger.v3.oas.annotations.Operation;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** What ran when. */
@RestController
class JobController {
  private static final int MOST = 50;

  private final Database database;

  JobController(Database database) {
    this.database = database;
  }

  record Jobs(List<Run> runs) {}

  record Run(
      String name,
      String period,
      String startedAt,
      @Nullable String finishedAt,
      String status,
      @Nullable String error) {}

  @Operation(summary = "Which jobs ran when, the last 50")
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
            .list());
  }
}
