package app.mantel.analytics.heatmap;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.playback.Segments;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Which parts of a file are watched: 100 equal segments, each session once, the most seen is 1. */
@RestController
class HeatmapController {
  /** Below these nothing is shown: a curve of one person is that person's evening. */
  private static final int FEWEST_SESSIONS = 3;

  private static final int FEWEST_VIEWERS = 2;

  private final Database database;

  HeatmapController(Database database) {
    this.database = database;
  }

  record Heatmap(String fileId, List<Double> segments, boolean enoughData, String precision) {}

  @GetMapping("/api/analytics/heatmap")
  Heatmap heatmap(@RequestParam String fileId) {
    int[] sessions = new int[Segments.COUNT];
    Set<String> viewers = new HashSet<>();
    int[] count = new int[1];
    boolean[] estimated = new boolean[1];
    database
        .read()
        .sql(
            "select viewer, estimated, coverage from playback_session"
                + " where file_id = ? and coverage is not null and watch_seconds > 0")
        .param(fileId)
        .query(
            row -> {
              viewers.add(row.getString(1));
              estimated[0] |= row.getInt(2) != 0;
              count[0]++;
              byte[] coverage = row.getBytes(3);
              for (int i = 0; i < Segments.COUNT; i++) {
                sessions[i] += coverage[i] > 0 ? 1 : 0;
              }
            });
    boolean enough = count[0] >= FEWEST_SESSIONS && viewers.size() >= FEWEST_VIEWERS;
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
