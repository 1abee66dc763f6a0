package app.mantel.analytics.library;

import app.mantel.analytics.library.reader.NameBytes;
import app.mantel.analytics.library.reader.ReaderMain;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The child that reads music, photos and MP4: one for many files, since its start costs half a
 * second and a file half a millisecond. It lives in the parse cell and sees the media and nothing
 * else of ours. It is killed at a deadline and ended when there is no more to do.
 */
final class ReaderProcess implements AutoCloseable {
  private static final long DEADLINE_SECONDS = 20;

  /** Processor time of one child; it gets a successor long before. */
  private static final int CPU_SECONDS = 600;

  private static final int MOST_FILES = 20_000;

  /** The address space that a JVM reserves; its heap is 64 MB. */
  private static final int MEGABYTES = 2048;

  private static final int LONGEST_ANSWER = 8 << 20;
  private static final String LAUNCHER =
      "org.springframework.boot.loader.launch.PropertiesLauncher";

  private final JsonMapper json;
  private final List<Path> library;
  private final Class<?> main;
  private final ExecutorService waiting =
      Executors.newSingleThreadExecutor(
          work -> {
            Thread thread = new Thread(work, "reader-answer");
            thread.setDaemon(true);
            return thread;
          });
  private @Nullable Process process;
  private @Nullable BufferedReader answers;
  private int files;

  /** {@code library}: the folders that the child may read. */
  ReaderProcess(JsonMapper json, List<Path> library) {
    this(json, library, ReaderMain.class);
  }

  /** {@code main}: the program of the child; tests plant a hostile one. */
  ReaderProcess(JsonMapper json, List<Path> library, Class<?> main) {
    this.json = json;
    this.library = library;
    this.main = main;
  }

  /**
   * What the child found, or {@code {"cannot": reason}}. A child that served other files before and
   * died has a successor that tries once more. Throws IOException if that one died too or was
   * killed for being late.
   */
  JsonNode read(Path file) throws IOException, InterruptedException {
    if (files >= MOST_FILES) {
      rest();
    }
    boolean fresh = files == 0;
    JsonNode answer = ask(file);
    if (answer == null && !fresh) {
      answer = ask(file);
    }
    if (answer == null) {
      throw new IOException("the reader died of it");
    }
    return answer;
  }

  /** Null where the child died. */
  private @Nullable JsonNode ask(Path file) throws IOException, InterruptedException {
    String line = Base64.getEncoder().encodeToString(NameBytes.of(file)) + "\n";
    Process child = running();
    BufferedReader in = Objects.requireNonNull(answers);
    Future<@Nullable String> answer =
        waiting.submit(
            () -> {
              child.getOutputStream().write(line.getBytes(StandardCharsets.US_ASCII));
              child.getOutputStream().flush();
              return Cell.line(in, LONGEST_ANSWER);
            });
    try {
      String text = answer.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
      files++;
      if (text == null) {
        rest();
        return null;
      }
      return json.readTree(text);
    } catch (TimeoutException late) {
      rest();
      throw new IOException("it took longer than " + DEADLINE_SECONDS + " s", late);
    } catch (ExecutionException broken) {
      rest();
      return null;
    } catch (RuntimeException garbled) {
      rest();
      throw new IOException("the reader's answer makes no sense", garbled);
    }
  }

  private Process running() throws IOException {
    Process child = process;
    if (child == null || !child.isAlive()) {
      List<Path> readable = new ArrayList<>(library);
      readable.addAll(runtime());
      child = Cell.start(new Cell.Rights(readable, null, CPU_SECONDS, MEGABYTES), command());
      process = child;
      answers =
          new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8));
      files = 0;
    }
    return child;
  }

  /** The JVM's own files, and ours. */
  private static List<Path> runtime() throws IOException {
    Path home = Path.of(System.getProperty("java.home"));
    List<Path> all = new ArrayList<>(List.of(home, home.toRealPath()));
    // Debian keeps the settings of a JDK in /etc, behind links
    Path settings = home.resolve("conf/net.properties");
    if (Files.exists(settings)) {
      all.add(Objects.requireNonNull(settings.toRealPath().getParent()));
    }
    all.addAll(classPath());
    return all;
  }

  private List<String> command() {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-XX:+UseSerialGC",
            "-Xms8m",
            "-Xmx64m",
            "-Xss512k",
            "-XX:MaxMetaspaceSize=64m",
            "-XX:CompressedClassSpaceSize=32m",
            "-XX:ReservedCodeCacheSize=32m",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            "-Dfile.encoding=UTF-8",
            "-Dsun.jnu.encoding=UTF-8",
            "-Djavax.xml.accessExternalDTD=",
            "-Djavax.xml.accessExternalSchema=",
            "-Djdk.xml.entityExpansionLimit=1"));
    boolean packed =
        String.valueOf(ReaderProcess.class.getProtectionDomain().getCodeSource().getLocation())
            .startsWith("jar:");
    if (packed) {
      command.add("-Dloader.main=" + main.getName());
    }
    command.add("-cp");
    command.add(
        classPath().stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator)));
    command.add(packed ? LAUNCHER : main.getName());
    return command;
  }

  private static List<Path> classPath() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
        .filter(entry -> !entry.isEmpty())
        .map(entry -> Path.of(entry).toAbsolutePath())
        .toList();
  }

  /** Ends the child; the next file starts another. */
  void rest() {
    Process child = process;
    if (child != null) {
      Cell.kill(child);
    }
    process = null;
    answers = null;
    files = 0;
  }

  @Override
  public void close() {
    rest();
    waiting.shutdownNow();
  }
}
