package app.mantel.analytics.db;

import static org.assertj.core.api.Assertions.assertThat;

import app.mantel.analytics.system.Daemon;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is inserted is there, whatever is in it, on both stores. */
class CopyRowsTest {
  private static final String ODD = "\\N \\x00 a\tb\nc\rd \\ \u00e5\ud83c\udfac \u0001 \"'";

  @ParameterizedTest
  @EnumSource(Store.class)
  void oddTextsBytesAndNothingComeBackAsTheyWere(Store store) {
    byte[] bytes = new byte[256];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) i;
    }
    try (Daemon daemon = new Daemon(store.empty())) {
      Database database = daemon.bean(Database.class);
      database.write(
          writing -> {
            writing.insert(
                "playback_session (viewer, file_id, started_at, ended_at, start_day, person,"
                    + " bytes, watch_seconds, counted, completed, estimated, coverage, replayed)",
                List.of(
                    new Object[] {"", ODD, 1, 2L, "2026-10-26", ODD, 3, 4.5, 1, 0, 1, bytes, 0},
                    new Object[] {"v", "f", 1, 2L, "\\.", null, 3, 0.1, 0, 0, 0, null, 0}));
            return true;
          });
      List<Object> found =
          database
              .read()
              .sql(
                  "select file_id, person, start_day, watch_seconds, coverage from playback_session"
                      + " order by viewer")
              .query(
                  (row, n) ->
                      java.util.Arrays.<Object>asList(
                          row.getString(1),
                          row.getString(2),
                          row.getString(3),
                          row.getDouble(4),
                          row.getBytes(5)))
              .list()
              .stream()
              .flatMap(List::stream)
              .toList();
      assertThat(found)
          .containsExactly(ODD, ODD, "2026-10-26", 4.5, bytes, "f", null, "\\.", 0.1, null);
    }
  }
}
