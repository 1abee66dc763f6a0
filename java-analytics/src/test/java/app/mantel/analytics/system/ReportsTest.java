package app.mantel.analytics.system;

import static org.assertj.core.api.Assertions.assertThat;

import app.mantel.analytics.Golden;
import app.mantel.analytics.db.Store;
import app.mantel.analytics.playback.Rollup;
import app.mantel.analytics.storage.StorageDays;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

/**
 * A household of three people and a television, counted by hand, on both stores.
 *
 * <p>It lives in Oslo, where 25 October 2026 had 25 hours. The film has 1000 bytes a second, so
 * that a byte is a millisecond.
 */
@ParameterizedClass
@EnumSource(Store.class)
class ReportsTest {
  private static final Instant NOW = Instant.parse("2026-10-27T12:00:00Z");

  @SuppressWarnings("NullAway.Init") // set before each store
  private static Daemon daemon;

  @Parameter Store store = Store.SQLITE;

  private static World household() {
    World world = new World();
    world
        .user("2026-10-01T00:00:00Z", "ann", "full")
        .user("2026-10-01T00:00:00Z", "bob", "full")
        .user("2026-10-01T00:00:00Z", "cy", "anonymous")
        .file("2026-03-01T10:00:00Z", "old1", "Deed.pdf", "document", 70_000)
        .file("2026-03-01T10:00:00Z", "old2", "Letter.pdf", "document", 5_000)
        .file("2026-10-18T10:00:00Z", "f1", "The Long Way.mp4", "video", 6_000_000)
        .file("2026-10-19T10:00:00Z", "f2", "Song.mp3", "audio", 200_000)
        .file("2026-10-20T10:00:00Z", "f3", "Photo.jpg", "image", 50_000)
        .file("2026-10-21T10:00:00Z", "f5", "Clip.mp4", "video", 40_000)
        .file("2026-10-22T10:00:00Z", "f4", "Gone.mp4", "video", 100_000)
        .file("2026-10-23T10:00:00Z", "f7", "Twin.mp3", "audio", 10_000)
        .file("2026-10-23T10:00:00Z", "f6", "Twin 2.mp3", "audio", 10_000)
        .facts("f1", 6000, null)
        .facts("f2", 200, null)
        .facts("f5", 40, null)
        .facts("f6", 10, "abc")
        .facts("f7", 10, "abc");
    // Saturday 24th, 23:50 in Oslo, over midnight: it stays Saturday's
    world
        .span("2026-10-24T21:50:00Z", "2026-10-24T22:00:00Z", "ann", "f1", 0, 900_000)
        .watched("2026-10-24T21:50:00Z", "ann", "f1", 0, 1200);
    // the long Sunday: 23:30 in Oslo is its 25th hour
    world
        .watched("2026-10-25T08:00:00Z", "cy", "f2", 0, 40)
        .span("2026-10-25T22:30:00Z", "2026-10-25T22:40:00Z", "bob", "f1", 0, 300_000);
    // Monday: a pause of 30 minutes is of one session, a millisecond more begins another
    world
        .span("2026-10-26T10:00:00Z", "2026-10-26T10:50:00Z", "tv", "f1", 0, 3_000_000)
        .span("2026-10-26T11:20:00Z", "2026-10-26T11:20:10Z", "tv", "f1", 3_000_000, 10_000)
        .span("2026-10-26T11:50:10.001Z", "2026-10-26T11:50:40.001Z", "tv", "f1", 3_010_000, 30_000)
        .watched("2026-10-26T08:00:00Z", "cy", "f2", 0, 40)
        .search("2026-10-26T08:05:30Z", "cy", "secret", 0)
        .watched("2026-10-26T09:00:00Z", "ann", "f5", 0, 20)
        .view("2026-10-26T09:00:25Z", "ann", "old2")
        .download("2026-10-26T09:00:30Z", "ann", "f3")
        .download("2026-10-26T09:05:00Z", "ann", "f1")
        .span("2026-10-26T12:00:00Z", "2026-10-26T12:00:01Z", "bob", "f3", 0, 50_000)
        .download("2026-10-26T12:05:00Z", "bob", "f7")
        .download("2026-10-26T12:05:00Z", "bob", "f6");
    // Tuesday, today
    world
        .search("2026-10-27T10:00:00Z", "ann", "Trolls ", 0)
        .search("2026-10-27T10:01:00Z", "bob", "trolls", 0)
        .search("2026-10-27T10:02:00Z", "ann", "matrix", 2)
        .search("2026-10-27T10:03:00Z", "ann", "matrix", 2)
        .search("2026-10-27T10:04:00Z", "ann", "matrix", 2)
        .search("2026-10-27T10:07:40Z", "bob", "matrix", 0)
        .span("2026-10-27T10:10:00Z", "2026-10-27T10:12:00Z", "ann", "f4", 0, 100_000)
        .watched("2026-10-27T10:20:00Z", "cy", "f2", 0, 40)
        .search("2026-10-27T10:20:10Z", "cy", "secret", 0)
        .fileRemoved("2026-10-27T10:30:00Z", "f4");
    for (int i = 0; i < 5; i++) {
      world.search("2026-10-27T10:05:0" + i + "Z", "ann", "alone", 0);
    }
    return world;
  }

  @BeforeParameterizedClassInvocation
  static void start(Store store) throws Exception {
    daemon = new Daemon(store.empty(), Clock.fixed(NOW, ZoneOffset.UTC));
    household().tell(daemon);
    daemon.bean(Rollup.class).run();
    daemon.bean(StorageDays.class).run();
  }

  @AfterParameterizedClassInvocation
  static void stop() {
    daemon.close();
  }

  private static void answers(String path, String json) throws Exception {
    assertThat(daemon.get(path)).isEqualTo(Golden.JSON.readTree(json));
  }

  private static String item(
      String id, String name, int streams, int downloads, int plays, int seconds, int users) {
    return """
        {"fileId": "%s", "name": "%s", "streams": %d, "downloads": %d, "plays": %d,
         "watchSeconds": %d, "users": %d}"""
        .formatted(id, name, streams, downloads, plays, seconds, users);
  }

  private static String popular(String range, String... items) {
    return "{\"range\": \"%s\", \"items\": [%s]}".formatted(range, String.join(",", items));
  }

  @Test
  void popularCountsDaysAndRanksByStreamsAndDownloads() throws Exception {
    // f6 and f7 tie and go by id; f2 and f5 were played without a byte sent and go by watch time
    String[] all = {
      item("f1", "The Long Way.mp4", 4, 1, 3, 1200 + 300 + 3010 + 30, 3),
      item("f3", "Photo.jpg", 1, 1, 0, 0, 2),
      item("f6", "Twin 2.mp3", 0, 1, 0, 0, 1),
      item("f7", "Twin.mp3", 0, 1, 0, 0, 1),
      item("f2", "Song.mp3", 0, 0, 3, 120, 3),
      item("f5", "Clip.mp4", 0, 0, 1, 20, 1)
    };
    answers("/api/analytics/popular?range=4d", popular("4d", all));
    answers("/api/analytics/popular?range=4w", popular("4w", all));
    answers("/api/analytics/popular?range=4d&limit=2", popular("4d", all[0], all[1]));
    answers(
        "/api/analytics/popular?range=1d", popular("1d", item("f2", "Song.mp3", 0, 0, 1, 40, 1)));
  }

  @Test
  void popularOfHoursCutsThroughADay() throws Exception {
    // bob's look at the photo began exactly 24 hours ago; the television's day was before
    answers(
        "/api/analytics/popular?range=24h",
        popular(
            "24h",
            item("f3", "Photo.jpg", 1, 0, 0, 0, 1),
            item("f6", "Twin 2.mp3", 0, 1, 0, 0, 1),
            item("f7", "Twin.mp3", 0, 1, 0, 0, 1),
            item("f2", "Song.mp3", 0, 0, 1, 40, 1)));
  }

  @Test
  void engagementOfTheHousehold() throws Exception {
    // visits: 1200 | 40 600 | 330 300 300 | 720 400 40; the two named and one anonymous person
    answers(
        "/api/analytics/users/engagement?range=4d",
        """
        {"range": "4d", "activeUsers": 3, "visits": 9, "medianVisitSeconds": 330.0,
         "watchSeconds": 4680,
         "perDay": [{"day": "2026-10-24", "activeUsers": 1, "watchSeconds": 1200},
                    {"day": "2026-10-25", "activeUsers": 2, "watchSeconds": 340},
                    {"day": "2026-10-26", "activeUsers": 3, "watchSeconds": 3100},
                    {"day": "2026-10-27", "activeUsers": 3, "watchSeconds": 40}]}""");
    // an even number of visits: the mean of 300 and 330
    assertThat(daemon.get("/api/analytics/users/engagement?range=3d").get("medianVisitSeconds"))
        .hasToString("315.0");
    assertThat(daemon.get("/api/analytics/users/engagement?range=2h").get("visits").asInt())
        .isEqualTo(3);
  }

  @Test
  void engagementOfOnePerson() throws Exception {
    answers(
        "/api/analytics/users/engagement?range=4d&userId=ann",
        """
        {"range": "4d", "activeUsers": 1, "visits": 3, "medianVisitSeconds": 720.0,
         "watchSeconds": 1220,
         "perDay": [{"day": "2026-10-24", "activeUsers": 1, "watchSeconds": 1200},
                    {"day": "2026-10-25", "activeUsers": 0, "watchSeconds": 0},
                    {"day": "2026-10-26", "activeUsers": 1, "watchSeconds": 20},
                    {"day": "2026-10-27", "activeUsers": 1, "watchSeconds": 0}]}""");
    // whoever is anonymous cannot be asked for
    assertThat(daemon.get("/api/analytics/users/engagement?userId=cy").get("visits").asInt())
        .isZero();
    assertThat(daemon.get("/api/analytics/users/engagement?userId=cy").get("medianVisitSeconds"))
        .hasToString("0.0");
  }

  @Test
  void heatmapCountsSessionsAPart() throws Exception {
    // of 60 s each: ann saw 0-1200, bob 0-300, the television 0-3010 and 3010-3040
    JsonNode heatmap = daemon.get("/api/analytics/heatmap?fileId=f1");
    List<Double> expected = new java.util.ArrayList<>();
    expected.addAll(Collections.nCopies(5, 1.0));
    expected.addAll(Collections.nCopies(15, 0.667));
    expected.addAll(Collections.nCopies(31, 0.333));
    expected.addAll(Collections.nCopies(49, 0.0));
    assertThat(IntStream.range(0, 100).mapToObj(i -> heatmap.get("segments").get(i).asDouble()))
        .isEqualTo(expected);
    assertThat(heatmap.get("enoughData").asBoolean()).isTrue();
    assertThat(heatmap.get("precision").asString()).isEqualTo("estimated");
  }

  @Test
  void heatmapOfOnePersonIsHidden() throws Exception {
    // f5 was seen once; f2 thrice, by three pseudonyms that are one person
    for (String file : List.of("f5", "f2", "nothing")) {
      JsonNode heatmap = daemon.get("/api/analytics/heatmap?fileId=" + file);
      assertThat(heatmap.get("enoughData").asBoolean()).as(file).isFalse();
      assertThat(heatmap.get("segments").size()).isEqualTo(100);
      assertThat(heatmap.get("segments")).allMatch(segment -> segment.asDouble() == 0);
    }
  }

  @Test
  void searchesOfOnePersonAreHidden() throws Exception {
    // "matrix" found nothing for bob alone, "alone" is ann's, "secret" of one or two anonymous
    answers(
        "/api/analytics/search-insights",
        """
        {"top": [{"query": "matrix", "count": 4}, {"query": "trolls", "count": 2}],
         "withoutResult": [{"query": "trolls", "count": 2}]}""");
  }

  @Test
  void aQueryFindsWhatItMeant() throws Exception {
    // "  l  lo lon ong ng " …: of 9 and 13 trigrams 7 are shared by "lon way" and "the long way"
    JsonNode found = daemon.get("/api/analytics/search-insights?query=lon%20way");
    assertThat(found.get("matches").get(0).get("text").asString()).isEqualTo("The Long Way");
    assertThat(found.get("matches").size()).isEqualTo(1);
    JsonNode twins = daemon.get("/api/analytics/search-insights?query=twin");
    assertThat(twins.get("matches").get(0).get("similarity").asDouble()).isEqualTo(1);
    assertThat(twins.get("matches").get(1).get("text").asString()).isEqualTo("Twin 2");
  }

  @Test
  void storageTellsWhatIsThereTwiceAndCold() throws Exception {
    JsonNode summary = daemon.get("/api/analytics/storage/summary");
    assertThat(summary.get("totalBytes").asLong()).isEqualTo(6_385_000);
    assertThat(summary.get("files").asInt()).isEqualTo(8);
    assertThat(summary.get("byType"))
        .isEqualTo(
            Golden.JSON.readTree(
                """
                {"audio": {"files": 3, "bytes": 220000}, "document": {"files": 2, "bytes": 75000},
                 "image": {"files": 1, "bytes": 50000}, "video": {"files": 2, "bytes": 6040000}}"""));
    JsonNode days = summary.get("perDay");
    assertThat(days.size()).isEqualTo(90);
    assertThat(days.get(0).get("day").asString()).isEqualTo("2026-07-30");
    long[] last = {75_000, 6_075_000, 6_275_000, 6_325_000, 6_365_000, 6_465_000, 6_485_000};
    for (int i = 0; i < last.length; i++) {
      JsonNode day = days.get(79 + i);
      assertThat(day.get("day").asString()).isEqualTo(LocalDate.of(2026, 10, 17 + i).toString());
      assertThat(day.get("totalBytes").asLong()).isEqualTo(last[i]);
    }
    assertThat(days.get(88).get("totalBytes").asLong()).isEqualTo(6_485_000);
    assertThat(days.get(89).get("totalBytes").asLong()).isEqualTo(6_385_000);
    // most pairs of days weigh the same: ten days of importing are not growth yet
    assertThat(summary.get("growthBytesPerDay").asLong()).isZero();
    assertThat(summary.get("daysToFull").isNull()).isTrue();
    assertThat(summary.get("duplicates"))
        .isEqualTo(Golden.JSON.readTree("{\"bytes\": 10000, \"groups\": 1}"));
    // the letter was looked at
    assertThat(summary.get("coldBytes").asLong()).isEqualTo(70_000);
  }

  @Test
  void insightsNameTheFiles() throws Exception {
    JsonNode insights = daemon.get("/api/analytics/insights");
    assertThat(insights.get("duplicates"))
        .isEqualTo(
            Golden.JSON.readTree(
                "[{\"sha256\": \"abc\", \"bytes\": 10000, \"fileIds\": [\"f6\", \"f7\"]}]"));
    assertThat(insights.get("cold"))
        .isEqualTo(Golden.JSON.readTree("[{\"fileId\": \"old1\", \"sizeBytes\": 70000}]"));
    assertThat(insights.get("bitRot")).isEmpty();
  }

  @Test
  void statsCountEverything() throws Exception {
    // a file that is gone was streamed all the same
    answers(
        "/api/stats",
        "{\"files\": 8, \"bytes\": 6385000, \"streams\": 6, \"downloads\": 4, \"users\": 3}");
  }
}
