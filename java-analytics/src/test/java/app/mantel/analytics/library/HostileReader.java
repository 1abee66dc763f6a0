package app.mantel.analytics.library;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * A reader that a file has taken over. A line is a path in Base64; beside it lie, one a line in
 * {@code wanted}, a secret file, a folder of the state and a port. It answers with all that it got
 * at.
 */
final class HostileReader {
  private HostileReader() {}

  private interface Reach {
    String go() throws IOException, InterruptedException;
  }

  public static void main(String[] args) throws IOException {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      Path file = Path.of(new String(Base64.getDecoder().decode(line), StandardCharsets.UTF_8));
      if (file.endsWith("dies.mp3")) {
        Runtime.getRuntime().halt(3);
      }
      List<String> wanted = Files.readAllLines(file.resolveSibling("wanted"));
      List<String> got = new ArrayList<>();
      add(got, "read", () -> Files.readString(file).substring(0, 2));
      add(got, "secret", () -> Files.readString(Path.of(wanted.get(0))));
      add(got, "state", () -> Files.list(Path.of(wanted.get(1))).toList().toString());
      add(got, "parent", () -> Files.readString(Path.of("/proc/" + wanted.get(3) + "/environ")));
      add(got, "write", () -> Files.writeString(file.resolveSibling("made"), "x").toString());
      add(got, "append", () -> Files.newOutputStream(file).toString());
      add(got, "tmp", () -> Files.createTempFile("made", "").toString());
      add(
          got,
          "network",
          () -> {
            try (Socket socket = new Socket()) {
              int port = Integer.parseInt(wanted.get(2));
              socket.connect(new InetSocketAddress("127.0.0.1", port), 500);
              return "connected";
            }
          });
      System.getenv().keySet().stream().sorted().forEach(name -> got.add("env " + name));
      System.out.println("{\"cannot\":\"" + String.join(", ", got) + "\"}");
      System.out.flush();
    }
  }

  private static void add(List<String> got, String name, Reach reach) {
    try {
      got.add(name + " " + reach.go());
    } catch (IOException | InterruptedException | RuntimeException denied) {
      // as it should be
    }
  }
}
