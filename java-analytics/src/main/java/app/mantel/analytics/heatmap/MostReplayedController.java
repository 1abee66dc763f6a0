package app.mantel.analytics.heatmap;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.playback.Segments;
import app.mantel.analytics.privacy.Viewers;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** The moments that people go back to. */
@RestController
class MostReplayedController {
  private static final int MOST = 20;

  private final Database database;

  MostReplayedController(Database database) {
    this.database = database;
  }

  record MostReplayed(List<Moment> moments) {}

  record Moment(
      String fileId,
      @Schema(description = "Where the part begins, in seconds.") double from,
      @Schema(description = "Where it ends, in seconds.") double to,
      @Schema(description = "How often the part was seen again within a session.") long replays) {}

  /** One of the 100 parts of a file. */
  private static final class Part {
    long replays;
    final Viewers viewers = new Viewers();
  }

  @Operation(
      summary = "The moments that people go back to",
      description =
          """
          Of each file the hundredth that was most often seen again within a session, the first of \
          equals; only where two viewers or more went back to it. Most replays first, then file \
          id; 20 at most.""")
  @GetMapping("/api/analytics/most-replayed")
  MostReplayed mostReplayed() {
    Map<String, Part[]> files = new HashMap<>();
    Map<String, Double> durations = new HashMap<>();
    database
        .read()
        .sql(
            "select s.file_id, s.viewer, s.start_day, s.coverage, f.duration_sec"
                + " from playback_session s"
                + " join library_file l on l.file_id = s.file_id and l.removed_at is null"
                + " join file_facts f on f.file_id = s.file_id"
                + " where s.replayed > 0 and f.duration_sec > 0")
        .query(
            row -> {
              Part[] parts =
                  files.computeIfAbsent(row.getString(1), file -> new Part[Segments.COUNT]);
              durations.put(row.getString(1), row.getDouble(5));
              byte[] coverage = row.getBytes(4);
              for (int i = 0; i < Segments.COUNT; i++) {
                if (coverage[i] > 1) {
                  parts[i] = Objects.requireNonNullElseGet(parts[i], Part::new);
                  parts[i].replays += coverage[i] - 1;
                  parts[i].viewers.add(row.getString(2), row.getString(3));
                }
              }
            });
    return new MostReplayed(
        files.entrySet().stream()
            .map(
                file ->
                    moment(
                        file.getKey(), file.getValue(), durations.getOrDefault(file.getKey(), 0.0)))
            .filter(Objects::nonNull)
            .sorted(
                Comparator.comparingLong(Moment::replays).reversed().thenComparing(Moment::fileId))
            .limit(MOST)
            .toList());
  }

  private static @Nullable Moment moment(String fileId, @Nullable Part[] parts, double duration) {
    return IntStream.range(0, Segments.COUNT)
        .filter(i -> parts[i] != null && parts[i].viewers.surelyDifferent() >= Viewers.ENOUGH)
        .mapToObj(
            i ->
                new Moment(
                    fileId,
                    duration * i / Segments.COUNT,
                    duration * (i + 1) / Segments.COUNT,
                    parts[i].replays))
        .max(
            Comparator.comparingLong(Moment::replays)
                .thenComparing(Moment::from, Comparator.reverseOrder()))
        .orElse(null);
  }
}
