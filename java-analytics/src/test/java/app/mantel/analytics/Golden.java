package app.mantel.analytics;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The messages between the two programs, one file each; the Python tests read the same files. */
public final class Golden {
  public static final JsonMapper JSON = JsonMapper.builder().build();

  private Golden() {}

  public static JsonNode read(String name) {
    return JSON.readTree(text(name));
  }

  public static String text(String name) {
    try {
      return Files.readString(Path.of(System.getProperty("feed.fixtures"), name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
