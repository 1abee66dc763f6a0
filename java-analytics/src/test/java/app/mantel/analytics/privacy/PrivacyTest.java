package app.mantel.analytics.privacy;

import static org.assertj.core.api.Assertions.assertThat;

import app.mantel.analytics.Golden;
import app.mantel.analytics.db.Database;
import app.mantel.analytics.db.Store;
import app.mantel.analytics.db.Tables;
import app.mantel.analytics.playback.Rollup;
import app.mantel.analytics.system.Daemon;
import app.mantel.analytics.system.World;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Whose trace is wiped, is in no column of no table. */
@ParameterizedClass
@EnumSource(Store.class)
class PrivacyTest {
  private static final String MIRA = "u7f3k2m9q4x1a8zt";

  @Parameter Store store = Store.SQLITE;

  @ParameterizedTest
  @ValueSource(strings = {"user_deleted", "anonymous", "off"})
  void noTableNamesThem(String how) throws Exception {
    try (Daemon daemon = new Daemon(store.empty())) {
      ObjectNode batch = recent();
      ((ArrayNode) batch.get("events")).remove(14);
      ObjectNode broken = (ObjectNode) batch.get("events").get(8);
      ((ObjectNode) broken.get("payload")).put("position", -1);
      assertThat(daemon.post("/api/analytics/ingest", batch.toString()).statusCode())
          .isEqualTo(202);
      daemon.bean(Rollup.class).run();
      assertThat(Tables.with(daemon.bean(Database.class), MIRA))
          .contains(
              "event",
              "visit",
              "playback_session",
              "rollup_play",
              "rollup_search",
              "ingest_reject");

      String type = how.equals("user_deleted") ? how : "user_changed";
      String payload =
          how.equals("user_deleted")
              ? "{}"
              : "{\"name\":\"mira\",\"role\":\"editor\",\"privacy\":\"" + how + "\"}";
      String event =
          "{\"seq\":16,\"eventId\":\"01930f2e-7c1a-7b5e-9d3a-0000000000ff\",\"version\":1,\"at\":\""
              + Instant.now()
              + "\",\"type\":\""
              + type
              + "\",\"userId\":\""
              + MIRA
              + "\",\"payload\":"
              + payload
              + "}";
      daemon.post(
          "/api/analytics/ingest",
          "{\"epoch\":\"e\",\"from\":16,\"to\":16,\"events\":[" + event + "]}");
      List<String> allowed = how.equals("user_deleted") ? List.of() : List.of("person");
      assertThat(Tables.with(daemon.bean(Database.class), MIRA)).isEqualTo(allowed);
      assertThat(Tables.with(daemon.bean(Database.class), "d3n5v8c2b6w9y1re")).isEmpty();

      // what arrives late, or again after a restore, names nobody either
      daemon.post("/api/analytics/ingest", batch.toString());
      daemon.bean(Rollup.class).run();
      assertThat(Tables.with(daemon.bean(Database.class), MIRA)).isEqualTo(allowed);
      assertThat(Tables.with(daemon.bean(Database.class), "d3n5v8c2b6w9y1re")).isEmpty();
      if (how.equals("user_deleted")) {
        assertThat(Tables.with(daemon.bean(Database.class), "spidr")).isEmpty();
      }
      JsonNode popular = daemon.get("/api/analytics/popular");
      assertThat(popular.get("items")).isEmpty();
      assertThat(daemon.get("/api/stats").get("streams").asInt()).isEqualTo(2);
    }
  }

  @Test
  void whoChangesTheirMindWithinADayIsCountedOnce() throws Exception {
    Instant today = Instant.parse("2026-10-27T12:00:00Z");
    try (Daemon daemon = new Daemon(store.empty(), Clock.fixed(today, ZoneOffset.UTC))) {
      World world = new World().file("2026-10-20T00:00:00Z", "f1", "f1.mp4", "video", 1000);
      String[] wishes = {"full", "anonymous", "full", "anonymous", "off"};
      for (int i = 0; i < wishes.length; i++) {
        String hour = "2026-10-27T0" + i;
        world
            .user(hour + ":00:00Z", "ann", wishes[i])
            .watched(hour + ":05:00Z", "ann", "f1", 0, 60)
            .search(hour + ":10:00Z", "ann", "boat", 1);
        World.send(daemon, world.events());
        daemon.bean(Rollup.class).run();
      }
      assertThat(Tables.with(daemon.bean(Database.class), "ann")).containsExactly("person");
      JsonNode engagement = daemon.get("/api/analytics/users/engagement?range=1d");
      assertThat(engagement.get("visits").asInt()).isEqualTo(wishes.length);
      assertThat(engagement.get("activeUsers").asInt()).isEqualTo(1);
      JsonNode item = daemon.get("/api/analytics/popular?range=1d").get("items").get(0);
      assertThat(item.get("plays").asInt()).isEqualTo(wishes.length);
      assertThat(item.get("users").asInt()).isEqualTo(1);
      assertThat(daemon.get("/api/analytics/search-insights").get("top")).isEmpty();
    }
  }

  private static ObjectNode recent() {
    String text = Golden.text("ingest-request.json");
    String now = Instant.now().minusSeconds(300).toString();
    String later = Instant.now().minusSeconds(60).toString();
    return (ObjectNode)
        Golden.JSON.readTree(
            text.replaceAll("2026-11-22T18:0[03]:\\d\\d.\\d{3}Z", now)
                .replaceAll("2026-11-22T18:04:\\d\\d.\\d{3}Z", later));
  }
}
