package app.mantel.analytics.heatmap;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.playback.Segments;
import app.mantel.analytics.privacy.Viewers;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.ArrayList;
import java.util.List;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Which parts of a file are watched: 100 equal segments, each session once, the most seen is 1. */
@RestController
class HeatmapController {
  /** Below these nothing is shown: a curve of one person is that person's evening. */
  private static final int FEWEST_SESSIONS = 3;

  private static final int FEWEST_VIEWERS = Viewers.ENOUGH;

  private final Database database;

  HeatmapController(Database database) {
    this.database = database;
  }

  record Heatmap(
      String fileId,
      @Schema(
              description =
                  """
                  100 equal parts of the file: how many sessions saw at least a fifth of the part, \
                  each session once, as a share of the part that most saw (0 to 1, three digits). \
                  Zeros while there is not enough.""")
          List<Double> segments,
      @Schema(
              description =
                  """
                  Whether there are 3 sessions with watch time or more, of 2 viewers or more, so \
                  that the curve is nobody's own. Anonymous viewers of different days may be one \
                  person and count as one.""")
          boolean enoughData,
      @Schema(
              description =
                  "estimated: bytes became time by a straight line in one session at least.",
              allowableValues = {"exact", "estimated"})
          String precision) {}

  @Operation(summary = "Which parts of a file are watched")
  @GetMapping("/api/analytics/heatmap")
  Heatmap heatmap(@RequestParam String fileId) {
    int[] sessions = new int[Segments.COUNT];
    Viewers viewers = new Viewers();
    int[] count = new int[1];
    boolean[] estimated = new boolean[1];
    database
        .read()
        .sql(
            "select viewer, start_day, estimated, coverage from playback_session"
                + " where file_id = ? and coverage is not null and watch_seconds > 0")
        .param(fileId)
        .query(
            row -> {
              viewers.add(row.getString(1), row.getString(2));
              estimated[0] |= row.getInt(3) != 0;
              count[0]++;
              byte[] coverage = row.getBytes(4);
              for (int i = 0; i < Segments.COUNT; i++) {
                sessions[i] += coverage[i] > 0 ? 1 : 0;
              }
            });
    boolean enough = count[0] >= FEWEST_SESSIONS && viewers.surelyDifferent() >= FEWEST_VIEWERS;
    int most = 1;
    for (int seen : sessions) {
      most = Math.max(most, seen);
    }
    List<Double> segments = new ArrayList<>(Segments.COUNT);
    for (int seen : sessions) {
      segments.add(enough ? Math.round(1000.0 * seen / most) / 1000.0 : 0.0);
    }
    return new Heatmap(fileId, segments, enough, estimated[0] || !enough ? "estimated" : "exact");
  }
}
