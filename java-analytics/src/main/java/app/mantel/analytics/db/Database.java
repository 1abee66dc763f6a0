package app.mantel.analytics.db;

import app.mantel.analytics.settings.Settings;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataRetrievalFailureException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * The daemon's own store, on SQLite or PostgreSQL; nobody else opens it.
 *
 * <p>Rules: one writing connection, so that writers queue up here and never meet SQLITE_BUSY; reads
 * go beside it; a write transaction is short.
 */
@Component
public final class Database implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Database.class);

  /** In the state folder: what {@code mantel restore} found in a backup. */
  private static final String SNAPSHOT = "analytics.snapshot";

  private static final int READERS = 3;
  private static final int ROWS_AT_ONCE = 1000;
  private static final int ROWS_A_STATEMENT = 200;

  private final HikariDataSource writer;
  private final HikariDataSource reader;
  private final JdbcTemplate writing;
  private final TransactionTemplate transaction;
  private final TransactionTemplate readTransaction;
  private final JdbcTemplate reading;
  private final Dialect dialect;

  public Database(Settings settings) {
    String url = settings.databaseUrl().reveal();
    dialect = url.startsWith("jdbc:sqlite:") ? Dialect.SQLITE : Dialect.POSTGRESQL;
    Path snapshot = settings.state().resolve(SNAPSHOT);
    if (dialect == Dialect.SQLITE) {
      becomeStore(snapshot, Path.of(url.substring("jdbc:sqlite:".length())));
    }
    migrate(url, dialect);
    writer = new HikariDataSource(pool(url, "writer", 1, false));
    reader = new HikariDataSource(pool(url, "reader", READERS, true));
    writing = new JdbcTemplate(writer);
    transaction = new TransactionTemplate(new DataSourceTransactionManager(writer));
    reading = new JdbcTemplate(reader);
    reading.setFetchSize(ROWS_AT_ONCE);
    readTransaction = new TransactionTemplate(new DataSourceTransactionManager(reader));
    readTransaction.setReadOnly(true);
    if (dialect == Dialect.POSTGRESQL && Files.exists(snapshot)) {
      fillFrom(snapshot);
    }
  }

  /** A store that is not there yet begins as what a restored backup brought. */
  private static void becomeStore(Path snapshot, Path file) {
    if (Files.exists(snapshot) && !Files.exists(file)) {
      try {
        Files.move(snapshot, file, StandardCopyOption.ATOMIC_MOVE);
        log.info("the store is that of the backup");
      } catch (IOException cannot) {
        throw new UncheckedIOException(cannot);
      }
    }
  }

  private void fillFrom(Path snapshot) {
    String url = "jdbc:sqlite:" + snapshot;
    migrate(url, Dialect.SQLITE);
    write(
        store -> {
          DataSource ours = Objects.requireNonNull(store.many().getDataSource());
          Connection into = DataSourceUtils.getConnection(ours);
          try (Connection from = DriverManager.getConnection(url)) {
            if (StoreCopy.isEmpty(into)) {
              StoreCopy.copy(from, into);
              log.info("the store is that of the backup");
            }
            return true;
          } catch (SQLException torn) {
            throw new DataRetrievalFailureException("the snapshot cannot be read", torn);
          } finally {
            DataSourceUtils.releaseConnection(into, ours);
          }
        });
    try {
      Files.delete(snapshot);
    } catch (IOException left) {
      log.warn("the snapshot stays in {}", snapshot);
    }
  }

  private HikariConfig pool(String url, String name, int size, boolean readOnly) {
    HikariConfig pool = new HikariConfig();
    pool.setPoolName(name);
    pool.setJdbcUrl(url);
    pool.setMaximumPoolSize(size);
    pool.setMinimumIdle(1);
    // a rebuild of a whole year holds the writer for seconds
    pool.setConnectionTimeout(30_000);
    if (dialect == Dialect.SQLITE) {
      // Driver properties: of several pragmas in a connection's first statement only one would
      // count.
      pool.addDataSourceProperty("journal_mode", "WAL");
      // The cursor is in the same file as what it counts: what a power cut takes, the appliance
      // sends again.
      pool.addDataSourceProperty("synchronous", "NORMAL");
      pool.addDataSourceProperty("busy_timeout", "10000");
      pool.addDataSourceProperty("cache_size", "-4000");
      pool.addDataSourceProperty("jdbc.get_generated_keys", "false");
      pool.addDataSourceProperty("transaction_mode", readOnly ? "DEFERRED" : "IMMEDIATE");
      pool.addDataSourceProperty("query_only", Boolean.toString(readOnly));
    } else {
      pool.setSchema("analytics");
      pool.addDataSourceProperty("reWriteBatchedInserts", "false");
    }
    return pool;
  }

  /** On connections of its own, since it wants two. */
  private static void migrate(String url, Dialect dialect) {
    Flyway.configure()
        .dataSource(url, null, null)
        .locations(dialect.migrations())
        .placeholders(Map.of("bytes", dialect.bytes()))
        .table("schema_history")
        .configuration(
            dialect == Dialect.POSTGRESQL
                ? Map.of("flyway.defaultSchema", "analytics", "flyway.createSchemas", "true")
                : Map.of())
        .load()
        .migrate();
  }

  /** For statements that only read; on SQLite anything else is refused. */
  public JdbcClient read() {
    return JdbcClient.create(reading);
  }

  /** One read transaction, in which long results come in pieces of {@value #ROWS_AT_ONCE} rows. */
  public <T> T read(Function<JdbcClient, T> work) {
    return result(readTransaction.execute(status -> work.apply(JdbcClient.create(reading))));
  }

  /** One write transaction: all of {@code work} or nothing. */
  public <T> T write(Function<Writing, T> work) {
    return result(
        transaction.execute(
            status -> work.apply(new Writing(JdbcClient.create(writing), writing, dialect))));
  }

  /**
   * A statement that must stand outside a transaction, such as VACUUM INTO or REFRESH …
   * CONCURRENTLY.
   */
  public void alone(String sql) {
    writing.execute(sql);
  }

  /**
   * Has PostgreSQL look at {@code tables} that were filled anew, or its plans are those of empty
   * ones until it looks by itself, a minute later. SQLite needs no such look.
   */
  public void learn(String... tables) {
    if (dialect == Dialect.POSTGRESQL) {
      alone("analyze " + String.join(", ", tables));
    }
  }

  public Dialect dialect() {
    return dialect;
  }

  /** A consistent copy into {@code file}, which must not exist yet: SQLite, whatever ours is. */
  public void copyInto(Path file) {
    if (dialect == Dialect.SQLITE) {
      writing.update("vacuum into ?", file.toString());
      return;
    }
    String url = "jdbc:sqlite:" + file;
    migrate(url, Dialect.SQLITE);
    try (Connection from = reader.getConnection();
        Connection to = DriverManager.getConnection(url)) {
      from.setAutoCommit(false);
      from.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      to.setAutoCommit(false);
      StoreCopy.copy(from, to);
      to.commit();
      from.rollback();
    } catch (SQLException torn) {
      throw new DataRetrievalFailureException("no snapshot can be made", torn);
    }
  }

  @Override
  public void close() {
    reader.close();
    writer.close();
  }

  private static <T> T result(@org.jspecify.annotations.Nullable T value) {
    if (value == null) {
      throw new IllegalStateException("work in a transaction answers with a value");
    }
    return value;
  }

  /**
   * What a write transaction may use.
   *
   * @param sql one statement at a time
   * @param many one statement for many rows
   */
  public record Writing(JdbcClient sql, JdbcTemplate many, Dialect dialect) {

    /**
     * Inserts {@code rows} into {@code columns}, written like {@code visit (person, started_at)}.
     */
    public void insert(String columns, List<Object[]> rows) {
      if (rows.isEmpty()) {
        return;
      }
      if (dialect == Dialect.POSTGRESQL) {
        CopyRows.into(many, columns, rows);
        return;
      }
      String row = "(" + String.join(",", Collections.nCopies(rows.get(0).length, "?")) + ")";
      for (int from = 0; from < rows.size(); from += ROWS_A_STATEMENT) {
        List<Object[]> piece = rows.subList(from, Math.min(rows.size(), from + ROWS_A_STATEMENT));
        many.update(
            "insert into "
                + columns
                + " values "
                + String.join(",", Collections.nCopies(piece.size(), row)),
            piece.stream().flatMap(Arrays::stream).toArray());
      }
    }

    /** Runs {@code statement} once a row; returns how many rows each changed. */
    public int[] each(String statement, List<Object[]> rows) {
      return rows.isEmpty() ? new int[0] : many.batchUpdate(statement, rows);
    }
  }
}
