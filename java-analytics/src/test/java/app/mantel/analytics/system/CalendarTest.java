package app.mantel.analytics.system;

import static org.assertj.core.api.Assertions.assertThat;

import app.mantel.analytics.db.Store;
import app.mantel.analytics.playback.Rollup;
import app.mantel.analytics.settings.Settings;
import app.mantel.analytics.storage.StorageDays;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

/** Short days, growth day by day, and a household that moves to another time zone. */
class CalendarTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-03-30T12:00:00Z"), ZoneOffset.UTC);

  private static Settings in(String zone, Settings settings) {
    return new Settings(
        settings.port(),
        settings.databaseUrl(),
        settings.state(),
        settings.internalPort(),
        ZoneId.of(zone),
        List.of(settings.state()),
        settings.toDaemon(),
        settings.toAppliance());
  }

  private static World household() {
    World world = new World().facts("e1", 2400, null).facts("e2", 2400, null);
    for (int day = 24; day <= 30; day++) {
      world.file("2026-03-" + day + "T11:00:00Z", "f" + day, "F" + day, "other", 1000);
    }
    return world
        .file("2026-03-24T11:00:00Z", "e1", "Episode 1.mp4", "video", 0)
        .file("2026-03-24T11:00:00Z", "e2", "Episode 2.mp4", "video", 0)
        // Oslo's 29 March had 23 hours, from 23:00Z to 22:00Z
        .view("2026-03-28T22:59:59.999Z", "a", "e1")
        .view("2026-03-28T23:00:00Z", "b", "e1")
        .view("2026-03-29T21:59:59.999Z", "c", "e1")
        .view("2026-03-29T22:00:00Z", "d", "e1")
        // one episode after the other, without a pause and with a rest of 25 minutes in the second
        .watched("2026-03-30T08:00:00Z", "e", "e1", 0, 1200)
        .watched("2026-03-30T08:20:00Z", "e", "e1", 1200, 1200)
        .watched("2026-03-30T08:40:00Z", "e", "e2", 0, 1200)
        .watched("2026-03-30T09:25:00Z", "e", "e2", 1200, 1200);
  }

  private static Map<String, Integer> active(Daemon daemon) throws Exception {
    Map<String, Integer> days = new TreeMap<>();
    for (JsonNode day : daemon.get("/api/analytics/users/engagement?range=4d").get("perDay")) {
      days.put(day.get("day").asString().substring(8), day.get("activeUsers").asInt());
    }
    return days;
  }

  @ParameterizedTest
  @EnumSource(Store.class)
  void daysAreTheHouseholds(Store store) throws Exception {
    Settings settings = store.empty();
    JsonNode popular;
    try (Daemon daemon = new Daemon(in("Europe/Oslo", settings), CLOCK)) {
      household().tell(daemon);
      daemon.bean(Rollup.class).run();
      daemon.bean(StorageDays.class).run();
      assertThat(active(daemon)).isEqualTo(Map.of("27", 0, "28", 1, "29", 2, "30", 2));

      JsonNode summary = daemon.get("/api/analytics/storage/summary");
      assertThat(summary.get("growthBytesPerDay").asLong()).isEqualTo(1000);
      long free = Files.getFileStore(settings.state()).getUsableSpace();
      assertThat(summary.get("daysToFull").asDouble() * 1000).isBetween(free * 0.9, free * 1.1);

      popular = daemon.get("/api/analytics/popular?range=1d").get("items");
      assertThat(popular.size()).isEqualTo(2);
      for (JsonNode episode : popular) {
        assertThat(episode.get("plays").asInt()).isEqualTo(1);
        assertThat(episode.get("watchSeconds").asInt()).isEqualTo(2400);
      }
    }
    // Kathmandu's days begin at 18:15Z: what was on Saturday night is on Sunday there
    try (Daemon daemon = new Daemon(in("Asia/Kathmandu", settings), CLOCK)) {
      daemon.bean(Rollup.class).run();
      assertThat(active(daemon)).isEqualTo(Map.of("27", 0, "28", 0, "29", 2, "30", 3));
      assertThat(daemon.get("/api/analytics/popular?range=1d").get("items")).isEqualTo(popular);
    }
  }
}
