package app.mantel.analytics.db;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL of the tests' own, from Debian's package: made in a temporary folder, ended with the
 * JVM.
 */
final class PostgresServer {
  private static @Nullable PostgresServer running;

  private final Path folder;
  private final Path programs;
  private final int port;

  private PostgresServer() throws IOException, InterruptedException {
    programs = programs();
    folder = Files.createTempDirectory("mantel-postgres-");
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    if (isRoot()) {
      run(List.of("chown", "postgres", folder.toString()), false);
    }
    String data = folder.resolve("data").toString();
    run(
        List.of(
            programs.resolve("initdb").toString(),
            "-D",
            data,
            "-U",
            "mantel",
            "-A",
            "trust",
            "-N",
            "--no-locale",
            "-E",
            "UTF8"),
        true);
    run(
        List.of(
            programs.resolve("pg_ctl").toString(),
            "-D",
            data,
            "-w",
            "-l",
            folder.resolve("log").toString(),
            "-o",
            "-c listen_addresses=127.0.0.1 -p "
                + port
                + " -c fsync=off -c shared_buffers=16MB"
                + " -c unix_socket_directories="
                + folder,
            "start"),
        true);
    Runtime.getRuntime().addShutdownHook(new Thread(this::stop));
  }

  static synchronized PostgresServer running() {
    try {
      if (running == null) {
        running = new PostgresServer();
      }
      return running;
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException("PostgreSQL of Debian's package postgresql is needed", e);
    }
  }

  String url(String database) {
    return "jdbc:postgresql://127.0.0.1:" + port + "/" + database + "?user=mantel";
  }

  private void stop() {
    try {
      run(
          List.of(
              programs.resolve("pg_ctl").toString(),
              "-D",
              folder.resolve("data").toString(),
              "-m",
              "immediate",
              "stop"),
          true);
      try (Stream<Path> all = Files.walk(folder)) {
        all.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
      }
    } catch (IOException | InterruptedException left) {
      System.err.println("left behind: " + folder);
    }
  }

  private static Path programs() throws IOException {
    try (Stream<Path> versions = Files.list(Path.of("/usr/lib/postgresql"))) {
      return versions
          .map(version -> version.resolve("bin"))
          .filter(Files::isDirectory)
          .max(Comparator.naturalOrder())
          .orElseThrow(() -> new IOException("no PostgreSQL here"));
    }
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  /** A server refuses to run as root, so root steps down to the package's own user. */
  private void run(List<String> command, boolean asServer)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>();
    if (asServer && isRoot()) {
      all.addAll(Arrays.asList("runuser", "-u", "postgres", "--"));
    }
    all.addAll(command);
    Path out = Files.createTempFile("mantel-postgres-", ".log");
    Process process =
        new ProcessBuilder(all)
            .directory(Path.of("/tmp").toFile())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    int code = process.waitFor();
    String said = Files.readString(out);
    Files.delete(out);
    if (code != 0) {
      throw new IOException(String.join(" ", command) + ": " + said);
    }
  }
}
