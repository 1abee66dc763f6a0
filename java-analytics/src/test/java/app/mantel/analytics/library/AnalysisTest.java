package app.mantel.analytics.library;

import static org.assertj.core.api.Assertions.assertThat;

import app.mantel.analytics.Golden;
import app.mantel.analytics.db.Database;
import app.mantel.analytics.db.Store;
import app.mantel.analytics.library.reader.NameBytes;
import app.mantel.analytics.settings.Secret;
import app.mantel.analytics.settings.Settings;
import app.mantel.analytics.system.Daemon;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/**
 * Real files made by ffmpeg, told by the feed, read, and told back to an appliance that listens.
 */
class AnalysisTest {
  @TempDir Path root;
  private HttpServer appliance;
  private final BlockingQueue<JsonNode> hints = new LinkedBlockingQueue<>();
  private final Map<String, JsonNode> facts = new ConcurrentHashMap<>();
  private volatile int answer = 204;
  private Daemon daemon;
  private int seq;

  /** Where a file lies whose name is no UTF-8, by the name that is shown. */
  private final Map<String, Path> odd = new HashMap<>();

  @BeforeEach
  void start() throws IOException {
    root = root.toRealPath();
    appliance = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    appliance.createContext(
        "/internal/hooks/",
        exchange -> {
          JsonNode body = Golden.JSON.readTree(exchange.getRequestBody().readAllBytes());
          boolean ours =
              ("Bearer " + Store.TOKEN)
                  .equals(exchange.getRequestHeaders().getFirst("Authorization"));
          if (ours && answer / 100 == 2) {
            body.path("paths").forEach(hints::add);
            body.path("facts").forEach(fact -> facts.put(fact.get("fileId").asString(), fact));
          }
          exchange.sendResponseHeaders(ours ? answer : 401, -1);
          exchange.close();
        });
    appliance.start();
    Settings empty = Store.SQLITE.empty();
    daemon =
        new Daemon(
            new Settings(
                0,
                empty.databaseUrl(),
                empty.state(),
                appliance.getAddress().getPort(),
                empty.timezone(),
                List.of(root),
                empty.toDaemon(),
                new Secret(Store.TOKEN)));
  }

  @AfterEach
  void stop() {
    daemon.close();
    appliance.stop(0);
  }

  @Test
  void whatIsInAFileIsTold() throws Exception {
    make(
        "film.mp4",
        "-f lavfi -i testsrc=s=320x180:d=4:r=25 -f lavfi -i sine=d=4 -c:v libx264 -g 25 -c:a aac -metadata title=Tromsø");
    make(
        "film.mkv",
        "-f lavfi -i testsrc=s=160x120:d=2:r=25 -f lavfi -i sine=d=2 -c:v libx264 -g 10 -c:a aac");
    make("song.mp3", "-f lavfi -i sine=d=3 -metadata title=Aria -metadata artist=Bach");
    make("photo.jpg", "-f lavfi -i testsrc=s=64x48 -frames:v 1");
    Files.writeString(root.resolve("torn.mp4"), "not a film at all");
    Files.writeString(
        root.resolve("playlist.mkv"),
        "#EXTM3U\n#EXTINF:1,\nfile:" + root.resolve("film.mp4") + "\n");
    tell("video", "film.mp4", "film.mkv", "torn.mp4", "playlist.mkv");
    tell("audio", "song.mp3");
    tell("image", "photo.jpg");

    JsonNode film = fact("film.mp4", "sha256");
    assertThat(film.get("durationSec").asDouble()).isBetween(3.9, 4.2);
    assertThat(film.get("resolution").asString()).isEqualTo("320x180");
    assertThat(film.get("codecs").get("video").asString()).isEqualTo("h264");
    assertThat(film.get("codecs").get("audio").asString()).isEqualTo("aac");
    assertThat(film.get("codecs").get("frameRate").asDouble()).isBetween(24.5, 25.5);
    assertThat(film.get("tags").get("title").asString()).isEqualTo("Tromsø");
    assertThat(film.get("mtimeNs").isString()).isTrue();
    JsonNode other = fact("film.mkv", "sha256");
    assertThat(other.get("resolution").asString()).isEqualTo("160x120");
    JsonNode song = fact("song.mp3", "durationSec");
    assertThat(song.get("durationSec").asDouble()).isBetween(2.9, 3.2);
    assertThat(song.get("tags").get("artist").asString()).isEqualTo("Bach");
    assertThat(fact("photo.jpg", "resolution").get("resolution").asString()).isEqualTo("64x48");
    assertThat(fact("torn.mp4", "broken").get("broken").asBoolean()).isTrue();
    assertThat(fact("playlist.mkv", "broken").has("durationSec")).isFalse();
    assertThat(daemon.bean(FactStore.class).hasIndex(id("film.mp4"))).isTrue();
    assertThat(daemon.bean(FactStore.class).hasIndex(id("film.mkv"))).isTrue();
  }

  @Test
  void aFileWhoseNameIsNoUtf8IsReadLikeAnyOther() throws Exception {
    Files.createDirectory(inLatin1(root, "\u00e9t\u00e9"));
    String film = "-f lavfi -i testsrc=s=160x120:d=2:r=25 -c:v libx264 -g 10";
    List<String> names =
        List.of(
            oddly("film.mp4", film),
            oddly("film.mkv", film),
            oddly("song.mp3", "-f lavfi -i sine=d=3 -metadata artist=Bach"),
            oddly("photo.jpg", "-f lavfi -i testsrc=s=64x48 -frames:v 1"));
    tell("video", names.get(0), names.get(1));
    tell("audio", names.get(2));
    tell("image", names.get(3));
    for (String name : names.subList(0, 2)) {
      JsonNode fact = fact(name, "sha256");
      assertThat(fact.get("durationSec").asDouble()).isBetween(1.9, 2.2);
      assertThat(fact.get("resolution").asString()).isEqualTo("160x120");
      assertThat(fact.get("sha256").asString())
          .isEqualTo(Places.sha256(odd.getOrDefault(name, root), Long.MAX_VALUE));
      assertThat(daemon.bean(FactStore.class).hasIndex(id(name))).isTrue();
    }
    assertThat(fact(names.get(2), "tags").get("tags").get("artist").asString()).isEqualTo("Bach");
    assertThat(fact(names.get(3), "resolution").get("resolution").asString()).isEqualTo("64x48");
    assertThat(daemon.get("/api/analytics/insights").get("unreadable")).isEmpty();
  }

  /**
   * Makes {@code été/é-name} with both in Latin 1, as an old disk has it; returns what is shown.
   */
  private String oddly(String name, String arguments) throws Exception {
    make(name, arguments);
    Path file = inLatin1(root, "\u00e9t\u00e9/\u00e9-" + name);
    Files.move(root.resolve(name), file);
    String shown = "\ufffdt\ufffd/\ufffd-" + name;
    odd.put(shown, file);
    return shown;
  }

  private static Path inLatin1(Path root, String path) {
    return NameBytes.path((root + "/" + path).getBytes(StandardCharsets.ISO_8859_1));
  }

  @Test
  void factsWaitForAnApplianceThatIsAway() throws Exception {
    answer = 503;
    make("song.mp3", "-f lavfi -i sine=d=1");
    tell("audio", "song.mp3");
    Thread.sleep(1500);
    assertThat(facts).isEmpty();
    answer = 204;
    assertThat(fact("song.mp3", "durationSec")).isNotNull();
  }

  @Test
  void aLinkOutOfTheRootIsNotFollowed() throws Exception {
    Path outside = Files.createTempFile("outside", ".mp3");
    Files.createSymbolicLink(root.resolve("link.mp3"), outside);
    tell("audio", "link.mp3");
    assertThat(fact("link.mp3", "broken").get("broken").asBoolean()).isTrue();
    Files.delete(outside);
  }

  @Test
  void bytesThatChangedByThemselvesAreFoundAndToldOnce() throws Exception {
    Path file = root.resolve("deed.pdf");
    Files.writeString(file, "the house is mine");
    tell("document", "deed.pdf");
    String expected = fact("deed.pdf", "sha256").get("sha256").asString();
    FileTime time = Files.getLastModifiedTime(file);
    Files.writeString(file, "the house is mxne");
    Files.setLastModifiedTime(file, time);
    verify();
    verify();
    JsonNode rot = daemon.get("/api/analytics/insights").get("bitRot");
    assertThat(rot).hasSize(1);
    assertThat(rot.get(0).get("fileId").asString()).isEqualTo(id("deed.pdf"));
    assertThat(rot.get(0).get("expectedSha256").asString()).isEqualTo(expected);
    assertThat(rot.get(0).get("foundSha256").asString())
        .isEqualTo(Places.sha256(file, Long.MAX_VALUE));

    // From a backup, with its time.
    Files.writeString(file, "the house is mine");
    Files.setLastModifiedTime(file, time);
    verify();
    assertThat(daemon.get("/api/analytics/insights").get("bitRot")).isEmpty();

    Files.writeString(file, "the house is mxne");
    Files.setLastModifiedTime(file, time);
    verify();
    assertThat(daemon.get("/api/analytics/insights").get("bitRot")).hasSize(1);

    // What somebody wrote is no rot.
    Files.writeString(file, "the house is sold");
    tell("document", "deed.pdf");
    verify();
    assertThat(daemon.get("/api/analytics/insights").get("bitRot")).isEmpty();
  }

  /** The second look at every checksum, as of a night months later. */
  private void verify() throws Exception {
    untilNothingWaits();
    change("update file_facts set hashed_at = 1");
    daemon.bean(FactStore.class).queueVerification(90, 30);
    untilNothingWaits();
  }

  private void change(String statement) {
    daemon.bean(Database.class).write(store -> store.sql().sql(statement).update());
  }

  private void untilNothingWaits() throws Exception {
    for (int i = 0; i < 200; i++) {
      if (daemon.get("/api/analytics/jobs").get("waiting").isEmpty()) {
        return;
      }
      Thread.sleep(100);
    }
    throw new AssertionError(daemon.get("/api/analytics/jobs").toString());
  }

  @Test
  void aNewFileInANewFolderIsHintedAt() throws Exception {
    Thread.sleep(300);
    Path folder = Files.createDirectories(root.resolve("Films/2026"));
    Files.writeString(folder.resolve("a.txt"), "a");
    List<String> told = new ArrayList<>();
    while (!told.contains(folder.toString())) {
      JsonNode path = hints.poll(10, TimeUnit.SECONDS);
      assertThat(path).as("a hint for " + folder + " after " + told).isNotNull();
      told.add(path.asString());
    }
  }

  private JsonNode fact(String name, String field) throws InterruptedException {
    for (int i = 0; i < 300; i++) {
      JsonNode fact = facts.get(id(name));
      if (fact != null && fact.has(field)) {
        return fact;
      }
      Thread.sleep(100);
    }
    throw new AssertionError(
        "no " + field + " of " + name + " was told; told was " + facts.get(id(name)));
  }

  private static String id(String name) {
    return String.format("%016x", name.hashCode() & 0xffffffffL);
  }

  private void make(String name, String arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("ffmpeg", "-v", "error", "-nostdin", "-y"));
    command.addAll(List.of(arguments.split(" ")));
    command.add(root.resolve(name).toString());
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }

  private void tell(String type, String... names) throws Exception {
    StringBuilder events = new StringBuilder();
    int first = seq + 1;
    for (String name : names) {
      Path file = odd.getOrDefault(name, root.resolve(name));
      // quiet for long enough to be hashed
      if (!Files.isSymbolicLink(file)) {
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(60)));
      }
      Map<String, Object> payload =
          new HashMap<>(
              Map.of(
                  "root",
                  root.toString(),
                  "path",
                  name,
                  "name",
                  name,
                  "folder",
                  "",
                  "type",
                  type,
                  "mimeType",
                  "x/y",
                  "sizeBytes",
                  Files.size(file),
                  "mtimeNs",
                  Long.toString(Files.getLastModifiedTime(file).to(TimeUnit.NANOSECONDS)),
                  "createdAt",
                  "2026-11-20T08:00:00.000Z"));
      if (odd.containsKey(name)) {
        byte[] whole = NameBytes.of(file);
        int from = root.toString().length() + 1;
        byte[] path = Arrays.copyOfRange(whole, from, whole.length);
        payload.put("pathBase64", Base64.getEncoder().encodeToString(path));
      }
      events
          .append(events.isEmpty() ? "" : ",")
          .append(
              Golden.JSON.writeValueAsString(
                  Map.of(
                      "seq",
                      ++seq,
                      "eventId",
                      "01930f2e-7c1a-7b5e-9d3a-" + HexFormat.of().toHexDigits(seq, 12),
                      "version",
                      1,
                      "at",
                      Instant.now().toString(),
                      "type",
                      "file_added",
                      "fileId",
                      id(name),
                      "payload",
                      payload)));
    }
    String batch =
        "{\"epoch\":\"e\",\"from\":" + first + ",\"to\":" + seq + ",\"events\":[" + events + "]}";
    JsonNode taken = Golden.JSON.readTree(daemon.post("/api/analytics/ingest", batch).body());
    assertThat(taken.get("accepted").asInt()).as(taken.toString()).isEqualTo(names.length);
  }
}
