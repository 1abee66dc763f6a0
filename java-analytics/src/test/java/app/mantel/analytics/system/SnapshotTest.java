package app.mantel.analytics.system;

import static org.assertj.core.api.Assertions.assertThat;

import app.mantel.analytics.db.Store;
import app.mantel.analytics.playback.Rollup;
import app.mantel.analytics.settings.Settings;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** What was stored on one database is there again on the other. */
class SnapshotTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-10-27T12:00:00Z"), ZoneOffset.UTC);
  private static final List<String> REPORTS =
      List.of(
          "/api/analytics/popular?range=7d",
          "/api/analytics/users/engagement?range=7d",
          "/api/analytics/heatmap?fileId=f1",
          "/api/analytics/insights",
          "/api/stats");

  @ParameterizedTest
  @CsvSource({"SQLITE, POSTGRESQL", "POSTGRESQL, SQLITE", "POSTGRESQL, POSTGRESQL"})
  void aSnapshotFillsAnEmptyStore(Store from, Store into) throws Exception {
    Settings empty = into.empty();
    Path snapshot = empty.state().resolve("analytics.snapshot");
    List<JsonNode> before;
    try (Daemon daemon = new Daemon(from.empty(), CLOCK)) {
      new World()
          .user("2026-10-01T00:00:00Z", "ann", "full")
          .file("2026-10-18T10:00:00Z", "f1", "The Long Way.mp4", "video", 6_000_000)
          .file("2026-10-18T10:00:00Z", "f2", "Twin.mp4", "video", 6_000_000)
          .facts("f1", 6000, "abc")
          .facts("f2", 6000, "abc")
          .watched("2026-10-24T20:00:00Z", "ann", "f1", 0, 1200)
          .download("2026-10-24T21:00:00Z", "ann", "f1")
          .tell(daemon);
      daemon.bean(Rollup.class).run();
      before = reports(daemon);
      HttpResponse<Path> answer =
          HttpClient.newHttpClient()
              .send(
                  daemon
                      .request("/api/analytics/snapshot")
                      .POST(HttpRequest.BodyPublishers.noBody())
                      .build(),
                  HttpResponse.BodyHandlers.ofFile(snapshot));
      assertThat(answer.statusCode()).isEqualTo(200);
    }
    assertThat(Files.readString(snapshot, java.nio.charset.StandardCharsets.ISO_8859_1))
        .startsWith("SQLite format 3");
    try (Daemon daemon = new Daemon(empty, CLOCK)) {
      assertThat(reports(daemon)).isEqualTo(before);
    }
    assertThat(snapshot).doesNotExist();
  }

  private static List<JsonNode> reports(Daemon daemon) throws Exception {
    List<JsonNode> found = new java.util.ArrayList<>();
    for (String report : REPORTS) {
      found.add(daemon.get(report));
    }
    assertThat(found.get(0).get("items")).isNotEmpty();
    assertThat(found.get(3).get("duplicates")).hasSize(1);
    return found;
  }
}
