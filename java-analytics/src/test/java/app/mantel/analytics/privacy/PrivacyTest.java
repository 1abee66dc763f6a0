package app.mantel.analytics.privacy;

import static org.assertj.core.api.Assertions.assertThat;

import app.mantel.analytics.Golden;
import app.mantel.analytics.db.Database;
import app.mantel.analytics.db.Dialect;
import app.mantel.analytics.db.Store;
import app.mantel.analytics.playback.Rollup;
import app.mantel.analytics.system.Daemon;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
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
      assertThat(tablesWith(daemon.bean(Database.class), MIRA))
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
      assertThat(tablesWith(daemon.bean(Database.class), MIRA)).isEqualTo(allowed);
      assertThat(tablesWith(daemon.bean(Database.class), "d3n5v8c2b6w9y1re")).isEmpty();

      // what arrives late, or again after a restore, names nobody either
      daemon.post("/api/analytics/ingest", batch.toString());
      daemon.bean(Rollup.class).run();
      assertThat(tablesWith(daemon.bean(Database.class), MIRA)).isEqualTo(allowed);
      assertThat(tablesWith(daemon.bean(Database.class), "d3n5v8c2b6w9y1re")).isEmpty();
      if (how.equals("user_deleted")) {
        assertThat(tablesWith(daemon.bean(Database.class), "spidr")).isEmpty();
      }
      JsonNode popular = daemon.get("/api/analytics/popular");
      assertThat(popular.get("items")).isEmpty();
      assertThat(daemon.get("/api/stats").get("streams").asInt()).isEqualTo(2);
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

  private static List<String> tablesWith(Database database, String trace) {
    String list =
        database.dialect() == Dialect.SQLITE
            ? "select name from sqlite_master where type = 'table' order by name"
            : "select tablename from pg_tables where schemaname = 'analytics' order by tablename";
    List<String> found = new ArrayList<>();
    for (String table : database.read().sql(list).query(String.class).list()) {
      boolean[] seen = new boolean[1];
      database
          .read()
          .sql("select * from " + table)
          .query(
              row -> {
                for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
                  String value = row.getString(i);
                  seen[0] |= value != null && value.contains(trace);
                }
              });
      if (seen[0]) {
        found.add(table);
      }
    }
    return found;
  }
}
