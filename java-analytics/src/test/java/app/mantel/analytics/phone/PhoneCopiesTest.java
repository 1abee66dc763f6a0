package app.mantel.analytics.phone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import app.mantel.analytics.Golden;
import app.mantel.analytics.db.Database;
import app.mantel.analytics.db.Store;
import app.mantel.analytics.library.Places;
import app.mantel.analytics.settings.BadSetting;
import app.mantel.analytics.settings.Settings;
import app.mantel.analytics.system.Daemon;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** A real film of an old kind, 70 s long, and what ffprobe says of its copy. */
class PhoneCopiesTest {
  private static final int SECONDS = PhoneCopy.PIECE_SECONDS + 10;
  private static final int RATE = 10;
  private static final String OLD =
      "{\"codecs\":{\"video\":\"mpeg4\",\"audio\":\"mp2\",\"container\":\"avi\"}}";

  @TempDir Path place;
  private Path root;
  private Path copies;
  private Daemon daemon;

  @BeforeEach
  void start() throws IOException {
    place = place.toRealPath();
    root = Files.createDirectory(place.resolve("library"));
    copies = place.resolve("copies");
    Settings empty = Store.SQLITE.empty();
    daemon =
        new Daemon(
            new Settings(
                0,
                empty.databaseUrl(),
                empty.state(),
                1,
                empty.timezone(),
                List.of(root),
                empty.toDaemon(),
                empty.toAppliance()));
  }

  @AfterEach
  void stop() {
    daemon.close();
  }

  private PhoneCopies copies(long space) {
    return new PhoneCopies(
        new PhoneSettings(copies, space),
        daemon.bean(Database.class),
        daemon.bean(Places.class),
        Golden.JSON,
        Clock.systemUTC());
  }

  /** Makes the film known; returns the name of its copy. */
  private Path know(String fileId, Path file, double seconds, String facts) throws IOException {
    long mtime = Files.getLastModifiedTime(file).to(TimeUnit.NANOSECONDS);
    daemon
        .bean(Database.class)
        .write(
            store -> {
              store
                  .sql()
                  .sql(
                      "insert into library_file (file_id, root, path, name, folder, type, mime_type,"
                          + " size_bytes, mtime_ns, created_at, added_at, changed_at, changed_seq)"
                          + " values (?, ?, ?, ?, '', 'video', '', ?, ?, 1, 1, 1, 1)")
                  .params(
                      fileId,
                      root.toString(),
                      root.relativize(file).toString(),
                      fileId,
                      file.toFile().length(),
                      mtime)
                  .update();
              return store
                  .sql()
                  .sql(
                      "insert into file_facts (file_id, size_bytes, mtime_ns, described_at,"
                          + " duration_sec, facts, pending) values (?, ?, ?, 1, ?, ?, 0)")
                  .params(fileId, file.toFile().length(), mtime, seconds, facts)
                  .update();
            });
    return copies.resolve(fileId + "-" + Files.size(file) + "-" + mtime + ".mp4");
  }

  private static String run(String... command) throws Exception {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(String.join(" ", command)).isZero();
    return said;
  }

  private Path film() throws Exception {
    Path film = root.resolve("old.avi");
    run(
        "ffmpeg",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc=s=96x54:r=" + RATE + ":d=" + SECONDS,
        "-f",
        "lavfi",
        "-i",
        "sine=d=" + SECONDS,
        "-c:v",
        "mpeg4",
        "-g",
        "37",
        "-c:a",
        "mp2",
        film.toString());
    return film;
  }

  @Test
  void anOldFilmIsMadePlayableAndAPowerCutCostsOnePiece() throws Exception {
    Path film = film();
    byte[] before = Files.readAllBytes(film);
    Path made = know("old", film, SECONDS, OLD);

    assertThat(copies(1L << 30).turn(copies)).isTrue();
    Path picture;
    try (Stream<Path> works = Files.list(copies.resolve(".work"))) {
      picture = works.findFirst().orElseThrow().resolve("picture.ts");
    }
    long first = Files.size(picture);
    // the power goes in the middle of the second piece
    Files.write(picture, new byte[5_000], StandardOpenOption.APPEND);
    PhoneCopies next = copies(1L << 30);
    assertThat(next.turn(copies)).isTrue();
    assertThat(Files.readString(picture.resolveSibling("progress")))
        .isEqualTo("2 " + Files.size(picture));
    assertThat(Files.size(picture)).isGreaterThan(first);
    assertThat(next.turn(copies)).isTrue();
    assertThat(made).doesNotExist();
    assertThat(next.turn(copies)).isTrue();
    assertThat(next.turn(copies)).isFalse();

    assertThat(film).hasBinaryContent(before);
    assertThat(copies.resolve(".work")).isEmptyDirectory();
    JsonNode found =
        Golden.JSON.readTree(
            run(
                "ffprobe",
                "-v",
                "error",
                "-count_frames",
                "-show_streams",
                "-show_format",
                "-of",
                "json",
                made.toString()));
    JsonNode video = found.path("streams").get(0);
    assertThat(video.path("codec_name").asString()).isEqualTo("h264");
    assertThat(video.path("nb_read_frames").asString()).isEqualTo(String.valueOf(SECONDS * RATE));
    assertThat(found.path("streams").get(1).path("codec_name").asString()).isEqualTo("aac");
    assertThat(Double.parseDouble(found.path("format").path("duration").asString()))
        .isBetween(SECONDS - 0.1, SECONDS + 0.2);
    assertThat(steps(made)).containsOnly("0.100000");
    byte[] head = new byte[4096];
    try (var in = Files.newInputStream(made)) {
      in.readNBytes(head, 0, head.length);
    }
    assertThat(new String(head, StandardCharsets.ISO_8859_1)).contains("moov");
  }

  /** The times between frames: one that is missing or twice would show. */
  private static List<String> steps(Path made) throws Exception {
    String[] times =
        run(
                "ffprobe",
                "-v",
                "error",
                "-select_streams",
                "v",
                "-show_entries",
                "packet=pts_time",
                "-of",
                "csv=p=0",
                made.toString())
            .strip()
            .split("\\s+", -1);
    List<String> steps = new ArrayList<>();
    for (int i = 1; i < times.length; i++) {
      double step =
          Double.parseDouble(times[i].replace(",", ""))
              - Double.parseDouble(times[i - 1].replace(",", ""));
      steps.add("%.6f".formatted(step));
    }
    return steps;
  }

  @Test
  void whatCannotBeConvertedIsNotedOnceAndWhatIsGoneIsTidiedAway() throws Exception {
    Path torn = Files.writeString(root.resolve("torn.avi"), "RIFF and nothing more");
    Path made = know("torn", torn, 10, OLD);
    PhoneCopies working = copies(1L << 30);
    assertThat(working.turn(copies)).isTrue();
    assertThat(working.turn(copies)).isFalse();
    assertThat(made).doesNotExist();
    Path stale = Files.writeString(copies.resolve("gone-1-2.mp4"), "x");
    assertThat(working.turn(copies)).isFalse();
    assertThat(stale).doesNotExist();
  }

  @Test
  void whatPlaysEverywhereIsLeftAloneAndSoIsAFullDisk() throws Exception {
    Path film = Files.writeString(root.resolve("new.mkv"), "x");
    know("new", film, 10, "{\"codecs\":{\"video\":\"h264\",\"audio\":\"aac\"}}");
    assertThat(copies(1L << 30).turn(copies)).isFalse();
    Path old = Files.writeString(root.resolve("old.avi"), "x");
    know("old", old, 3600, OLD);
    assertThat(copies(1L << 20).turn(copies)).isFalse();
    assertThat(copies.resolve(".work")).isEmptyDirectory();
  }

  @Test
  void settings() {
    assertThat(PhoneSettings.read(Map.of())).isEqualTo(new PhoneSettings(null, 20L << 30));
    Map<String, String> own =
        Map.of("MANTEL_PHONE_COPIES", "/srv/copies", "MANTEL_PHONE_COPIES_SPACE", "500 MiB");
    assertThat(PhoneSettings.read(own))
        .isEqualTo(new PhoneSettings(Path.of("/srv/copies"), 500L << 20));
    assertThatThrownBy(() -> PhoneSettings.read(Map.of("MANTEL_PHONE_COPIES_SPACE", "much")))
        .isInstanceOf(BadSetting.class);
  }

  @Test
  void playable() {
    assertThat(Playable.everywhere(codecs("h264", "aac", "yuv420p"))).isTrue();
    assertThat(Playable.everywhere(codecs("h264", "aac", "yuv420p10le"))).isFalse();
    assertThat(Playable.everywhere(codecs("hevc", "aac", "yuv420p"))).isFalse();
    assertThat(Playable.everywhere(codecs("h264", "dts", "yuv420p"))).isFalse();
  }

  private static JsonNode codecs(String video, String audio, String pixels) {
    return Golden.JSON.valueToTree(Map.of("video", video, "audio", audio, "pixelFormat", pixels));
  }
}
