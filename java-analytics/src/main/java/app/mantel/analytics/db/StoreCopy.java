package app.mantel.analytics.db;

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/** All rows of one store into another of the same tables, SQLite or PostgreSQL. */
final class StoreCopy {
  private static final int AT_ONCE = 500;

  private StoreCopy() {}

  /** Both connections are in a transaction of the caller's. {@code to} must be empty. */
  static void copy(Connection from, Connection to) throws SQLException {
    for (String table : tables(to)) {
      try (Statement reading = from.createStatement()) {
        reading.setFetchSize(AT_ONCE);
        try (ResultSet rows = reading.executeQuery("select * from " + table)) {
          copy(rows, to, table);
        }
      }
    }
  }

  private static void copy(ResultSet rows, Connection to, String table) throws SQLException {
    int columns = rows.getMetaData().getColumnCount();
    List<String> names = new ArrayList<>();
    for (int i = 1; i <= columns; i++) {
      names.add(rows.getMetaData().getColumnName(i));
    }
    String insert =
        "insert into %s (%s) values (%s)"
            .formatted(
                table,
                String.join(", ", names),
                String.join(", ", Collections.nCopies(columns, "?")));
    try (PreparedStatement writing = to.prepareStatement(insert)) {
      int waiting = 0;
      while (rows.next()) {
        for (int i = 1; i <= columns; i++) {
          writing.setObject(i, rows.getObject(i));
        }
        writing.addBatch();
        if (++waiting == AT_ONCE) {
          writing.executeBatch();
          waiting = 0;
        }
      }
      writing.executeBatch();
    }
  }

  /** Whether nothing was stored yet. */
  static boolean isEmpty(Connection store) throws SQLException {
    for (String table : tables(store)) {
      try (Statement reading = store.createStatement();
          ResultSet rows = reading.executeQuery("select 1 from " + table + " limit 1")) {
        if (rows.next()) {
          return false;
        }
      }
    }
    return true;
  }

  private static List<String> tables(Connection store) throws SQLException {
    DatabaseMetaData data = store.getMetaData();
    List<String> names = new ArrayList<>();
    try (ResultSet found = data.getTables(null, store.getSchema(), "%", new String[] {"TABLE"})) {
      while (found.next()) {
        String name = found.getString("TABLE_NAME").toLowerCase(Locale.ROOT);
        if (!name.equals("schema_history") && !name.startsWith("sqlite_")) {
          names.add(name);
        }
      }
    }
    return names;
  }
}
