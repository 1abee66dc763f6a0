package app.mantel.analytics.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.db.Store;
import app.mantel.analytics.playback.Rollup;
import app.mantel.analytics.system.Daemon;
import app.mantel.analytics.system.World;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;

/** PostgreSQL's materialised view says what the report of all time says. */
class RankingTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-10-27T12:00:00Z"), ZoneOffset.UTC);

  private static List<String> ranking(JdbcClient sql) {
    return sql.sql("select file_id from popular_ranking order by place").query(String.class).list();
  }

  @Test
  void theRankingIsRefreshedBesideItsReaders() throws Exception {
    try (Daemon daemon = new Daemon(Store.POSTGRESQL.empty(), CLOCK)) {
      World world = new World();
      for (String file : List.of("a", "b", "c", "d")) {
        world.file("2026-10-01T00:00:00Z", file, file, "video", 1000);
      }
      world
          .download("2026-10-20T10:00:00Z", "ann", "d")
          .download("2026-10-20T10:00:00Z", "bob", "d")
          .download("2026-10-21T10:00:00Z", "bob", "c")
          .download("2026-10-22T10:00:00Z", "bob", "b");
      world.tell(daemon);
      daemon.bean(Rollup.class).run();
      Database database = daemon.bean(Database.class);
      // a refresh that is not concurrent would wait for this reader for ever
      database.read(
          sql -> {
            assertThat(ranking(sql)).isEmpty();
            daemon.bean(Nightly.class).ranking();
            return true;
          });
      assertThat(ranking(database.read())).containsExactly("d", "b", "c");
      assertThat(daemon.get("/api/analytics/popular?range=400d").get("items"))
          .extracting(item -> item.get("fileId").asString())
          .containsExactly("d", "b", "c");
    }
  }
}
