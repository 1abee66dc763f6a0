package app.mantel.analytics.playback;

import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Reads raw events in the order in which they began, one row at a time. */
final class RawEvents {
  private RawEvents() {}

  /** One row of the table; what a type does not carry is 0 or empty. */
  record Row(
      String type,
      long beganAt,
      long endedAt,
      @Nullable String person,
      @Nullable String device,
      @Nullable String fileId,
      @Nullable String state,
      double position,
      double rate,
      long firstByte,
      long bytes,
      @Nullable String query,
      long results) {

    /** Who looks on: the person, else the device. */
    String viewer() {
      return person != null ? person : device != null ? device : "unknown";
    }
  }

  interface Reader {
    void row(Row row);
  }

  /** Rows that began from {@code from} to before {@code to}. */
  static void read(JdbcClient sql, long from, long to, Reader reader) {
    sql.sql(
            "select type, began_at, ended_at, person, device, file_id, state, position, rate,"
                + " first_byte, bytes, query, results from event"
                + " where began_at >= ? and began_at < ? order by began_at, event_id")
        .params(from, to)
        .query(
            rows -> {
              reader.row(
                  new Row(
                      rows.getString(1),
                      rows.getLong(2),
                      rows.getLong(3),
                      rows.getString(4),
                      rows.getString(5),
                      rows.getString(6),
                      rows.getString(7),
                      rows.getDouble(8),
                      rows.getDouble(9),
                      rows.getLong(10),
                      rows.getLong(11),
                      rows.getString(12),
                      rows.getLong(13)));
            });
  }
}
