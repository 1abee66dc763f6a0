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
              String type = rows.getString(1);
              long beganAt = rows.getLong(2);
              // A column costs as much as any other: of half a million rows only what they carry.
              boolean span = type.equals("span");
              boolean position = type.equals("ping") || type.equals("cast_position");
              boolean search = type.equals("search");
              reader.row(
                  new Row(
                      type,
                      beganAt,
                      span ? rows.getLong(3) : beganAt,
                      rows.getString(4),
                      rows.getString(5),
                      search ? null : rows.getString(6),
                      position ? rows.getString(7) : null,
                      position ? rows.getDouble(8) : 0,
                      position ? rows.getDouble(9) : 0,
                      span ? rows.getLong(10) : 0,
                      span ? rows.getLong(11) : 0,
                      search ? rows.getString(12) : null,
                      search ? rows.getLong(13) : 0));
            });
  }
}
