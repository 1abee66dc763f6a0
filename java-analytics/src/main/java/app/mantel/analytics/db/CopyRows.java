package app.mantel.analytics.db;

import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;

/** Many rows into PostgreSQL by COPY, which takes a third of the time of INSERT. */
final class CopyRows {
  private CopyRows() {}

  /** In the caller's transaction; {@code columns} like {@code visit (person, started_at)}. */
  static void into(JdbcTemplate store, String columns, List<Object[]> rows) {
    StringBuilder text = new StringBuilder();
    for (Object[] row : rows) {
      text.append(line(row));
    }
    ConnectionCallback<Long> copy =
        connection -> {
          try {
            return connection
                .unwrap(PGConnection.class)
                .getCopyAPI()
                .copyIn("copy " + columns + " from stdin", new StringReader(text.toString()));
          } catch (IOException torn) {
            throw new UncheckedIOException(torn);
          }
        };
    store.execute(copy);
  }

  /** One row in COPY's text format, with its line break. */
  static String line(@Nullable Object[] row) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < row.length; i++) {
      line.append(i == 0 ? "" : "\t");
      if (row[i] == null) {
        line.append("\\N");
      } else if (row[i] instanceof byte[] bytes) {
        line.append("\\\\x").append(HexFormat.of().formatHex(bytes));
      } else {
        escape(row[i].toString(), line);
      }
    }
    return line.append('\n').toString();
  }

  private static void escape(String text, StringBuilder line) {
    for (int i = 0; i < text.length(); i++) {
      char one = text.charAt(i);
      switch (one) {
        case '\\' -> line.append("\\\\");
        case '\t' -> line.append("\\t");
        case '\n' -> line.append("\\n");
        case '\r' -> line.append("\\r");
        default -> line.append(one);
      }
    }
  }
}
