package app.mantel.analytics.library;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Starts a child that parses a stranger's bytes: low priority, no tokens, no writing, no more
 * memory than given.
 */
final class Child {
  private static final List<Path> PROGRAMS = List.of(Path.of("/usr/bin"), Path.of("/bin"));

  private Child() {}

  /**
   * {@code memory} in bytes of address space; 0 for no limit, as a JVM reserves more than it uses.
   */
  static Process start(List<String> command, long memory) throws IOException {
    List<String> all = new ArrayList<>();
    if (has("prlimit")) {
      all.addAll(List.of("prlimit", "--fsize=0", "--core=0", "--nofile=256"));
      if (memory > 0) {
        all.addAll(List.of("--as=" + memory, "--cpu=300"));
      }
      all.add("--");
    }
    if (has("nice")) {
      all.addAll(List.of("nice", "-n", "15"));
    }
    all.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(all);
    Map<String, String> environment = builder.environment();
    environment.clear();
    environment.putAll(Map.of("PATH", "/usr/local/bin:/usr/bin:/bin", "LC_ALL", "C.UTF-8"));
    return builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
  }

  static void kill(Process process) {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  private static boolean has(String program) {
    return PROGRAMS.stream().anyMatch(folder -> Files.isExecutable(folder.resolve(program)));
  }
}
