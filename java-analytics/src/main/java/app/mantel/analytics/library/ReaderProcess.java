package app.mantel.analytics.library;

import app.mantel.analytics.library.reader.ReaderMain;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The child that reads music, photos and MP4: one for many files, since its start costs half a
 * second and a file half a millisecond. It is killed at a deadline and ended when there is no more
 * to do.
 */
final class ReaderProcess implements AutoCloseable {
  private static final long DEADLINE_SECONDS = 20;
  private static final String LAUNCHER =
      "org.springframework.boot.loader.launch.PropertiesLauncher";

  private final JsonMapper json;
  private final ExecutorService waiting =
      Executors.newSingleThreadExecutor(
          work -> {
            Thread thread = new Thread(work, "reader-answer");
            thread.setDaemon(true);
            return thread;
          });
  private @Nullable Process process;
  private @Nullable BufferedReader answers;

  ReaderProcess(JsonMapper json) {
    this.json = json;
  }

  /**
   * What the child found, or {@code {"cannot": reason}}. Throws IOException if it died or was
   * killed.
   */
  JsonNode read(Path file) throws IOException, InterruptedException {
    Process child = process;
    if (child == null || !child.isAlive()) {
      child = Child.start(command(), 0);
      process = child;
      answers =
          new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8));
    }
    String line =
        Base64.getEncoder().encodeToString(file.toString().getBytes(StandardCharsets.UTF_8)) + "\n";
    child.getOutputStream().write(line.getBytes(StandardCharsets.US_ASCII));
    child.getOutputStream().flush();
    BufferedReader in = java.util.Objects.requireNonNull(answers);
    Future<@Nullable String> answer = waiting.submit(in::readLine);
    try {
      String text = answer.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
      if (text == null) {
        throw new IOException("the reader died of it");
      }
      return json.readTree(text);
    } catch (TimeoutException late) {
      rest();
      throw new IOException("it took longer than " + DEADLINE_SECONDS + " s", late);
    } catch (ExecutionException broken) {
      rest();
      throw new IOException("the reader broke off", broken);
    }
  }

  private static List<String> command() {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-XX:+UseSerialGC",
            "-Xms8m",
            "-Xmx64m",
            "-Xss512k",
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
      command.add("-Dloader.main=" + ReaderMain.class.getName());
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(packed ? LAUNCHER : ReaderMain.class.getName());
    return command;
  }

  /** Ends the child; the next file starts another. */
  void rest() {
    Process child = process;
    if (child != null) {
      Child.kill(child);
    }
    process = null;
    answers = null;
  }

  @Override
  public void close() {
    rest();
    waiting.shutdownNow();
  }
}
