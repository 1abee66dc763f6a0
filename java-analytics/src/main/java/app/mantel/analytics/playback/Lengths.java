package app.mantel.analytics.playback;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * How long the files play that were played in some days, and where their moments lie; read at once,
 * since a question for each file is what takes the time of a rollup. Of those days alone: a library
 * may have more keyframes than the heap has room for.
 */
final class Lengths {
  private static final Set<String> STILL = Set.of("image", "document", "other");

  private final Map<String, Media> known = new HashMap<>();

  /** Of what was played from {@code from} to before {@code to}, epoch milliseconds. */
  Lengths(JdbcClient sql, long from, long to) {
    sql.sql(
            "select l.file_id, l.type, l.size_bytes, f.duration_sec, f.keyframes"
                + " from library_file l left join file_facts f on f.file_id = l.file_id"
                + " where l.file_id in (select file_id from event where began_at >= ?"
                + " and began_at < ? and type in ('span', 'ping', 'cast_position'))")
        .params(from, to)
        .query(
            row -> {
              byte[] keyframes = row.getBytes(5);
              known.put(
                  row.getString(1),
                  media(row.getString(2), row.getLong(3), row.getDouble(4), keyframes));
            });
  }

  private static Media media(
      String type, long sizeBytes, double durationSec, byte @Nullable [] keyframes) {
    ByteTimeIndex index =
        durationSec <= 0
            ? null
            : keyframes != null
                ? ByteTimeIndex.decode(keyframes)
                : ByteTimeIndex.linear(sizeBytes, durationSec);
    return new Media(durationSec, !STILL.contains(type), index, keyframes != null);
  }

  Media of(String fileId) {
    return known.getOrDefault(fileId, Media.UNKNOWN);
  }
}
