package app.mantel.analytics.playback;

import app.mantel.analytics.db.Database;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * How long files play and where their moments lie, of the files that were asked for last: a library
 * may have more keyframes than the heap has room for.
 */
final class Lengths {
  private static final Set<String> STILL = Set.of("image", "document", "other");
  private static final int MOST = 2048;

  private final Database database;
  private final Map<String, Media> known =
      new LinkedHashMap<>(MOST, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Media> eldest) {
          return size() > MOST;
        }
      };

  Lengths(Database database) {
    this.database = database;
  }

  /** What is known may have changed. */
  void forget() {
    known.clear();
  }

  Media of(String fileId) {
    return known.computeIfAbsent(fileId, this::read);
  }

  private Media read(String fileId) {
    return database
        .read()
        .sql(
            "select l.type, l.size_bytes, f.duration_sec, f.keyframes"
                + " from library_file l left join file_facts f on f.file_id = l.file_id"
                + " where l.file_id = ?")
        .param(fileId)
        .query(
            (row, n) -> {
              boolean timed = !STILL.contains(row.getString(1));
              double duration = row.getDouble(3);
              byte[] keyframes = row.getBytes(4);
              ByteTimeIndex index =
                  duration <= 0
                      ? null
                      : keyframes != null
                          ? ByteTimeIndex.decode(keyframes)
                          : ByteTimeIndex.linear(row.getLong(2), duration);
              return new Media(duration, timed, index, keyframes != null);
            })
        .optional()
        .orElse(Media.UNKNOWN);
  }
}
