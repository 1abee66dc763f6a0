package app.mantel.analytics.settings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Every setting, from the environment.
 *
 * @param port of the daemon on 127.0.0.1; 0 takes a free one
 * @param databaseUrl {@code jdbc:sqlite:…} or {@code jdbc:postgresql:…}; may carry a password
 * @param state folder of databases and keys
 * @param internalPort of the appliance's hooks on 127.0.0.1
 * @param timezone of the household: where a day begins
 * @param library the media roots
 * @param toDaemon the bearer that callers present
 * @param toAppliance the bearer for the appliance's hooks
 */
public record Settings(
    int port,
    Secret databaseUrl,
    Path state,
    int internalPort,
    ZoneId timezone,
    List<Path> library,
    Secret toDaemon,
    Secret toAppliance) {

  private static final int SHORTEST_TOKEN = 16;

  /**
   * Reads the environment; what is missing gets the default of docs/settings.md.
   *
   * @throws BadSetting for a value that will not do
   */
  public static Settings read(Map<String, String> environment) {
    Path state = path("MANTEL_STATE", value(environment, "MANTEL_STATE", "var"));
    String url =
        value(
            environment,
            "MANTEL_ANALYTICS_DATABASE_URL",
            "jdbc:sqlite:" + state.resolve("analytics.db"));
    if (!url.startsWith("jdbc:sqlite:") && !url.startsWith("jdbc:postgresql:")) {
      throw new BadSetting(
          "MANTEL_ANALYTICS_DATABASE_URL",
          "…",
          "a URL that begins with jdbc:sqlite: or jdbc:postgresql: is allowed");
    }
    List<Path> library =
        Stream.of(value(environment, "MANTEL_LIBRARY", "library").split(":", -1))
            .filter(part -> !part.isEmpty())
            .map(part -> path("MANTEL_LIBRARY", part))
            .toList();
    String credentials = environment.get("CREDENTIALS_DIRECTORY");
    Path keys =
        credentials == null || credentials.isEmpty()
            ? state.resolve("keys")
            : path("CREDENTIALS_DIRECTORY", credentials);
    return new Settings(
        port(environment, "MANTEL_ANALYTICS_PORT", 8080),
        new Secret(url),
        state,
        port(environment, "MANTEL_INTERNAL_PORT", 8001),
        timezone(environment.get("MANTEL_TIMEZONE")),
        library,
        token(keys.resolve("to-daemon")),
        token(keys.resolve("to-appliance")));
  }

  private static String value(Map<String, String> environment, String name, String otherwise) {
    String value = environment.get(name);
    return value == null || value.isBlank() ? otherwise : value.strip();
  }

  private static Path path(String name, String value) {
    try {
      return Path.of(value).toAbsolutePath().normalize();
    } catch (java.nio.file.InvalidPathException invalid) {
      throw new BadSetting(name, value, "a folder is allowed");
    }
  }

  private static int port(Map<String, String> environment, String name, int otherwise) {
    String text = value(environment, name, Integer.toString(otherwise));
    if (!text.matches("\\d{1,5}") || Integer.parseInt(text) > 65535) {
      throw new BadSetting(name, text, "a port from 0 to 65535 is allowed");
    }
    return Integer.parseInt(text);
  }

  private static ZoneId timezone(@Nullable String name) {
    if (name == null || name.isBlank()) {
      return ZoneId.systemDefault();
    }
    try {
      return ZoneId.of(name.strip());
    } catch (DateTimeException unknown) {
      throw new BadSetting("MANTEL_TIMEZONE", name, "a time zone such as Europe/Oslo is allowed");
    }
  }

  private static Secret token(Path file) {
    try {
      String token = Files.readString(file).strip();
      if (token.length() >= SHORTEST_TOKEN) {
        return new Secret(token);
      }
    } catch (IOException unreadable) {
      throw new BadSetting(
          file.getFileName().toString(), file.toString(), "a readable token file is needed");
    }
    throw new BadSetting(
        file.getFileName().toString(),
        file.toString(),
        "a token of 16 characters or more is needed");
  }
}
