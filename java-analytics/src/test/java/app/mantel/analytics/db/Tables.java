package app.mantel.analytics.db;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** All that a store holds, by its own catalogue: a table that is added later is looked at too. */
public final class Tables {
  private Tables() {}

  /** Names of all tables and views of the daemon's. */
  public static List<String> of(Database database) {
    String list =
        database.dialect() == Dialect.SQLITE
            ? "select name from sqlite_master where type in ('table', 'view') order by name"
            : "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                + " where c.relkind in ('r', 'v', 'm', 'p') and n.nspname not in"
                + " ('pg_catalog', 'information_schema') and n.nspname not like 'pg_toast%' order by 1";
    return database.read().sql(list).query(String.class).list();
  }

  /** Rows of {@code table} as text, sorted; bytes as numbers. */
  public static List<String> rows(Database database, String table) {
    List<String> rows = new ArrayList<>();
    database
        .read()
        .sql("select * from " + table)
        .query(
            row -> {
              StringBuilder text = new StringBuilder();
              for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
                Object value = row.getObject(i);
                text.append(
                        value instanceof byte[] bytes
                            ? java.util.Arrays.toString(bytes)
                            : value instanceof Number number
                                ? Double.toString(number.doubleValue())
                                : String.valueOf(value))
                    .append('|');
              }
              rows.add(text.toString());
            });
    rows.sort(null);
    return rows;
  }

  public static Map<String, List<String>> rows(Database database, List<String> tables) {
    Map<String, List<String>> all = new TreeMap<>();
    tables.forEach(table -> all.put(table, rows(database, table)));
    return all;
  }

  /** Tables in whose text {@code trace} occurs. */
  public static List<String> with(Database database, String trace) {
    return of(database).stream()
        .filter(table -> rows(database, table).stream().anyMatch(row -> row.contains(trace)))
        .toList();
  }
}
