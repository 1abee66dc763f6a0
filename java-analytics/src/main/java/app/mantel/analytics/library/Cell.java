package app.mantel.analytics.library;

import app.mantel.analytics.library.reader.NameBytes;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Starts programs that parse a stranger's bytes in the parse cell of the appliance (cell.py, which
 * comes along in the jar): lowest priority, no network, no tokens, no writing, nothing to be read
 * but the system, what is named here, and standard input.
 */
public final class Cell {
  /** How a program names a file that is its standard output. */
  public static final String THE_OUTPUT = "file:/proc/self/fd/1";

  private static final String PATH = "/usr/local/bin:/usr/bin:/bin";
  private static final List<Path> SYSTEM =
      Stream.of(
              "/usr",
              "/lib",
              "/lib64",
              "/bin",
              "/etc/ld.so.cache",
              "/etc/alternatives",
              "/dev/null")
          .map(Path::of)
          .toList();
  private static final String SOURCE = source();

  private Cell() {}

  /** A program that is not installed: no fault of the file that was to be read. */
  @SuppressWarnings("serial")
  static final class NoProgram extends IOException {
    NoProgram(String name) {
      super(name + " is not installed");
    }
  }

  /**
   * What a program in the cell may use.
   *
   * @param readable files and folders beside the system's own
   * @param input its standard input; null for a pipe
   * @param cpuSeconds of processor time, then it is killed
   * @param megabytes of address space
   */
  public record Rights(List<Path> readable, @Nullable Path input, int cpuSeconds, int megabytes) {}

  /** Throws NoProgram where {@code program} or Python is not there. */
  public static Process start(Rights rights, List<String> program) throws IOException {
    return start(rights, program, null);
  }

  /**
   * The same, with a file as standard output, which the program may also open, and nothing else.
   */
  public static Process start(Rights rights, List<String> program, @Nullable Path output)
      throws IOException {
    String source = rights.input() == null ? SOURCE : opening(rights.input()) + SOURCE;
    List<String> all = new ArrayList<>(List.of(find("python3"), "-I", "-S", "-c", source));
    all.add(
        Stream.concat(SYSTEM.stream(), rights.readable().stream())
            .map(Path::toString)
            .collect(Collectors.joining(":")));
    all.add(Integer.toString(rights.cpuSeconds()));
    all.add(Integer.toString(rights.megabytes()));
    all.add(find(program.get(0)));
    all.addAll(program.subList(1, program.size()));
    ProcessBuilder builder = new ProcessBuilder(all);
    Map<String, String> environment = builder.environment();
    environment.clear();
    // glibc sets 64 MB of address space aside for each thread's arena otherwise
    environment.putAll(Map.of("PATH", PATH, "LC_ALL", "C.UTF-8", "MALLOC_ARENA_MAX", "2"));
    if (output != null) {
      builder.redirectOutput(output.toFile());
    }
    return builder
        .directory(Path.of("/").toFile())
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  /** Opens the standard input: by its bytes, since what starts processes here knows texts alone. */
  private static String opening(Path input) {
    String bytes = Base64.getEncoder().encodeToString(NameBytes.of(input));
    return "import base64, os\nos.dup2(os.open(base64.b64decode('%s'), os.O_NOFOLLOW), 0)\n"
        .formatted(bytes);
  }

  /**
   * The next line, without its end; null after the last. Throws IOException beyond {@code most}.
   */
  static @Nullable String line(BufferedReader from, int most) throws IOException {
    StringBuilder line = new StringBuilder();
    int c = from.read();
    if (c < 0) {
      return null;
    }
    for (; c >= 0 && c != '\n'; c = from.read()) {
      if (line.length() == most) {
        throw new IOException("the program in the cell says too much");
      }
      line.append((char) c);
    }
    return line.toString();
  }

  /** Ends it with all that it started. */
  public static void kill(Process process) {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  private static String find(String program) throws NoProgram {
    if (program.startsWith("/")) {
      return program;
    }
    return Stream.of(PATH.split(":", -1))
        .map(folder -> Path.of(folder, program))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(() -> new NoProgram(program))
        .toString();
  }

  private static String source() {
    try (InputStream in = Cell.class.getResourceAsStream("/cell.py")) {
      if (in == null) {
        throw new IllegalStateException("cell.py is not in the jar");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException torn) {
      throw new UncheckedIOException(torn);
    }
  }
}
