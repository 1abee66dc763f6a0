package app.mantel.analytics.db;

import app.mantel.analytics.settings.Secret;
import app.mantel.analytics.settings.Settings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.ZoneId;
import java.util.List;

/** Both stores, for tests that run over each: a file of its own, a database of its own. */
public enum Store {
  SQLITE,
  POSTGRESQL;

  public static final String TOKEN = "a-token-of-the-tests-only";
  private static int made;

  /** Settings over an empty store; the household lives in Oslo. */
  public Settings empty() {
    try {
      Path state = Files.createTempDirectory("mantel-java-");
      state.toFile().deleteOnExit();
      String url =
          this == SQLITE ? "jdbc:sqlite:" + state.resolve("analytics.db") : emptyDatabase();
      return new Settings(
          0,
          new Secret(url),
          state,
          1,
          ZoneId.of("Europe/Oslo"),
          List.of(),
          new Secret(TOKEN),
          new Secret(TOKEN));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static synchronized String emptyDatabase() {
    PostgresServer server = PostgresServer.running();
    String name = "mantel_" + ++made;
    try (Connection connection = DriverManager.getConnection(server.url("postgres"))) {
      connection.createStatement().execute("create database " + name);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return server.url(name);
  }
}
