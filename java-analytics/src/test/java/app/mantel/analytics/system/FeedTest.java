package app.mantel.analytics.system;

import static org.assertj.core.api.Assertions.assertThat;

import app.mantel.analytics.Golden;
import app.mantel.analytics.db.Database;
import app.mantel.analytics.db.Store;
import app.mantel.analytics.playback.Rollup;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** The golden messages, over the wire, on both stores. */
@ParameterizedClass
@EnumSource(Store.class)
class FeedTest {
  private static final String EPOCH = "0f5b1d6e-3a1c-4b77-9f7e-2f1f3a9c5d10";

  @Parameter Store store = Store.SQLITE;
  private Daemon daemon;

  @BeforeEach
  void start() {
    daemon = new Daemon(store.empty());
  }

  @AfterEach
  void stop() {
    daemon.close();
  }

  @Test
  void aBatchIsStoredOnceAndTheCursorFollows() throws Exception {
    assertThat(daemon.get("/api/analytics/ingest/cursor?epoch=" + EPOCH).get("through").asLong())
        .isZero();
    HttpResponse<String> answer =
        daemon.post("/api/analytics/ingest", Golden.text("ingest-request.json"));
    assertThat(answer.statusCode()).isEqualTo(202);
    assertThat(Golden.JSON.readTree(answer.body())).isEqualTo(Golden.read("ingest-answer.json"));
    assertThat(daemon.get("/api/analytics/ingest/cursor?epoch=" + EPOCH))
        .isEqualTo(Golden.read("cursor-answer.json"));

    JsonNode again =
        Golden.JSON.readTree(
            daemon.post("/api/analytics/ingest", Golden.text("ingest-request.json")).body());
    assertThat(again.get("accepted").asInt()).isZero();
    assertThat(again.get("duplicates").asInt()).isEqualTo(15);
  }

  @Test
  void aBadEventIsSetAsideWithItsReason() throws Exception {
    ObjectNode batch = (ObjectNode) Golden.read("ingest-request.json");
    ((ObjectNode) batch.get("events").get(8).get("payload")).put("position", -1);
    HttpResponse<String> answer = daemon.post("/api/analytics/ingest", batch.toString());
    assertThat(Golden.JSON.readTree(answer.body()))
        .isEqualTo(Golden.read("ingest-answer-rejected.json"));
  }

  @Test
  void aStreamedFileIsPopular() throws Exception {
    ObjectNode batch = (ObjectNode) Golden.read("ingest-request.json");
    String now = java.time.Instant.now().minusSeconds(120).toString();
    String later = java.time.Instant.now().toString();
    String text =
        batch
            .toString()
            .replaceAll("2026-11-22T18:0[03]:\\d\\d.\\d{3}Z", now)
            .replaceAll("2026-11-22T18:04:\\d\\d.\\d{3}Z", later);
    ObjectNode recent = (ObjectNode) Golden.JSON.readTree(text);
    // without the events that remove the film and the person
    ((tools.jackson.databind.node.ArrayNode) recent.get("events")).remove(14);
    ((tools.jackson.databind.node.ArrayNode) recent.get("events")).remove(13);
    assertThat(daemon.post("/api/analytics/ingest", recent.toString()).statusCode()).isEqualTo(202);
    daemon.bean(Rollup.class).run();

    JsonNode report = daemon.get("/api/analytics/popular?range=7d&limit=5");
    JsonNode golden = Golden.read("popular-answer.json");
    assertThat(report.propertyNames()).isEqualTo(golden.propertyNames());
    JsonNode item = report.get("items").get(0);
    assertThat(item.propertyNames()).isEqualTo(golden.get("items").get(0).propertyNames());
    assertThat(item.get("name").asString()).isEqualTo("The Long Way to Tromsø.mp4");
    assertThat(item.get("streams").asInt()).isEqualTo(2);
    assertThat(item.get("downloads").asInt()).isEqualTo(1);
    assertThat(item.get("users").asInt()).isEqualTo(2);
    assertThat(daemon.get("/api/analytics/popular?range=24h")).isNotNull();
    assertThat(daemon.get("/api/analytics/popular?range=24h").get("items"))
        .isEqualTo(report.get("items"));
  }

  @Test
  void whoHasNoTokenGetsNothing() throws Exception {
    assertThat(daemon.send(daemon.plain("/health").GET()).statusCode()).isEqualTo(200);
    for (String path :
        new String[] {
          "/api/stats", "/api/analytics/popular", "/nowhere", "/health/../api/stats", "//health"
        }) {
      HttpResponse<String> answer = daemon.send(daemon.plain(path).GET());
      assertThat(answer.statusCode()).as(path).isBetween(400, 401);
      answer = daemon.send(daemon.plain(path).header("Authorization", "Bearer wrong").GET());
      assertThat(answer.statusCode()).as(path).isBetween(400, 401);
    }
  }

  @Test
  void faultsAreProblems() throws Exception {
    HttpResponse<String> answer =
        daemon.send(daemon.request("/api/analytics/popular?range=7y").GET());
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.headers().firstValue("Content-Type").orElse(""))
        .startsWith("application/problem+json");
    JsonNode problem = Golden.JSON.readTree(answer.body());
    assertThat(problem.get("type").asString()).isEqualTo("urn:mantel:analytics:bad-parameter");
    assertThat(problem.get("field").asString()).isEqualTo("range");
    assertThat(daemon.send(daemon.request("/nowhere").GET()).statusCode()).isEqualTo(404);
    assertThat(daemon.post("/api/analytics/ingest", "{").statusCode()).isEqualTo(400);
    assertThat(
            daemon
                .post(
                    "/api/analytics/ingest", "{\"epoch\":\"a\",\"from\":3,\"to\":2,\"events\":[]}")
                .statusCode())
        .isEqualTo(400);
    assertThat(daemon.send(daemon.request("/api/analytics/popular?limit=x").GET()).statusCode())
        .isEqualTo(400);
    assertThat(daemon.bean(Database.class)).isNotNull();
  }
}
