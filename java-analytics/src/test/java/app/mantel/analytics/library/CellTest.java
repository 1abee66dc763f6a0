package app.mantel.analytics.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import app.mantel.analytics.Golden;
import app.mantel.analytics.library.reader.ReaderMain;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What programs that a hostile file has taken over reach from within the parse cell. */
class CellTest {
  @TempDir Path folder;
  private Path library;
  private Path secret;
  private ServerSocket door;

  @BeforeEach
  void plant() throws IOException {
    folder = folder.toRealPath();
    library = Files.createDirectory(folder.resolve("library"));
    Path state = Files.createDirectory(folder.resolve("state"));
    secret = Files.writeString(state.resolve("to-appliance"), "the-token");
    door = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
    Files.writeString(library.resolve("song.mp3"), "ID3 and more");
    Files.write(
        library.resolve("wanted"),
        List.of(
            secret.toString(),
            state.toString(),
            Integer.toString(door.getLocalPort()),
            Long.toString(ProcessHandle.current().pid())));
  }

  @AfterEach
  void close() throws IOException {
    door.close();
  }

  @Test
  void aReaderThatWasTakenOverReachesTheMediaAndNothingElse() throws Exception {
    try (ReaderProcess reader =
        new ReaderProcess(Golden.JSON, List.of(library), HostileReader.class)) {
      assertThat(reader.read(library.resolve("song.mp3")).path("cannot").asString())
          .isEqualTo("read ID, env LC_ALL, env MALLOC_ARENA_MAX, env PATH");
    }
    assertThat(library.resolve("made")).doesNotExist();
    assertThat(library.resolve("song.mp3")).hasContent("ID3 and more");
  }

  @Test
  void withoutTheCellTheSameReaderReachesAll() throws Exception {
    Process free =
        new ProcessBuilder(
                System.getProperty("java.home") + "/bin/java",
                "-cp",
                System.getProperty("java.class.path"),
                HostileReader.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    byte[] path = library.resolve("song.mp3").toString().getBytes(StandardCharsets.UTF_8);
    free.getOutputStream().write(java.util.Base64.getEncoder().encode(path));
    free.getOutputStream().close();
    assertThat(new String(free.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
        .contains("secret the-token", "state [", "write ", "append ", "tmp ", "network connected");
  }

  @Test
  void aPlantedProgramReachesItsStandardInputAlone() throws Exception {
    Path hostile = folder.resolve("ffprobe");
    Files.writeString(
        hostile,
        """
        #!/bin/bash
        cat - && echo
        cat %s
        ls %s
        echo x > %s/made
        exec 3<>/dev/tcp/127.0.0.1/%d && echo network
        env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= | cut -d= -f1 | sort
        """
            .formatted(secret, library, library, door.getLocalPort()));
    Files.setPosixFilePermissions(hostile, PosixFilePermissions.fromString("rwxr-xr-x"));
    Process child =
        Cell.start(
            new Cell.Rights(List.of(hostile), library.resolve("song.mp3"), 10, 512),
            List.of(hostile.toString()));
    assertThat(new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
        .isEqualTo("ID3 and more\nLC_ALL\nMALLOC_ARENA_MAX\nPATH\n");
    assertThat(library.resolve("made")).doesNotExist();
  }

  @Test
  void theChildIsLastForProcessorAndDisk() throws Exception {
    Process child =
        Cell.start(
            new Cell.Rights(List.of(), null, 10, 512),
            List.of(
                "bash", "-c", "nice; ionice; ulimit -c -f -n -t -v; ip link 2>&1 | grep -c UP"));
    String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(said).startsWith("19\nidle\n");
    assertThat(said).contains("524288");
  }

  @Test
  void whatAnInnocentFileFindsDeadIsTriedOnceMore() throws Exception {
    try (ReaderProcess reader =
        new ReaderProcess(Golden.JSON, List.of(library), HostileReader.class)) {
      assertThat(reader.read(library.resolve("song.mp3")).has("cannot")).isTrue();
      assertThatThrownBy(() -> reader.read(library.resolve("dies.mp3")))
          .hasMessage("the reader died of it");
      assertThat(reader.read(library.resolve("song.mp3")).has("cannot")).isTrue();
    }
  }

  @Test
  void whatSaysTooMuchIsNotHeardOut() throws Exception {
    BufferedReader said = new BufferedReader(new StringReader("abc\ndefgh"));
    assertThat(Cell.line(said, 3)).isEqualTo("abc");
    assertThatThrownBy(() -> Cell.line(said, 3)).isInstanceOf(IOException.class);
    assertThat(Cell.line(new BufferedReader(new StringReader("")), 3)).isNull();
  }

  @Test
  void theTrueReaderReadsInTheCell() throws Exception {
    Path photo = library.resolve("photo.png");
    javax.imageio.ImageIO.write(
        new java.awt.image.BufferedImage(7, 5, java.awt.image.BufferedImage.TYPE_INT_RGB),
        "png",
        photo.toFile());
    try (ReaderProcess reader =
        new ReaderProcess(Golden.JSON, List.of(library), ReaderMain.class)) {
      assertThat(reader.read(photo).path("facts").path("width").asInt()).isEqualTo(7);
      assertThat(reader.read(secret).path("cannot").asString()).isNotEmpty();
    }
  }
}
