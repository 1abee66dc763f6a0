package app.mantel.analytics.system;

import static org.assertj.core.api.Assertions.assertThat;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.db.Store;
import app.mantel.analytics.playback.DirtyDays;
import app.mantel.analytics.playback.Rollup;
import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * What is asked of the store, how often and by which index: what keeps a year of a busy household
 * quick. Times are left to tests/system/test_busy_year.py, which shows them.
 */
class StatementsTest {
  private static final Clock NOON =
      Clock.fixed(Instant.parse("2026-10-27T12:00:00Z"), ZoneOffset.UTC);
  private static final Pattern STATEMENT = Pattern.compile("\\[(.*)]", Pattern.DOTALL);

  private final Logger jdbc = (Logger) LoggerFactory.getLogger(JdbcTemplate.class);
  private final ListAppender<ILoggingEvent> said =
      new ListAppender<>() {
        @Override
        protected void append(ILoggingEvent event) {
          // while it is still known who says it
          event.prepareForDeferredProcessing();
          super.append(event);
        }
      };

  /** The start of a daemon sets all logging anew, so this comes after it. */
  private Daemon listening(Store store) {
    Daemon daemon = new Daemon(store.empty(), NOON);
    said.start();
    jdbc.setLevel(Level.DEBUG);
    jdbc.setAdditive(false);
    jdbc.addAppender(said);
    return daemon;
  }

  @AfterEach
  void stop() {
    jdbc.setLevel(null);
    jdbc.setAdditive(true);
    jdbc.detachAppender(said);
  }

  @ParameterizedTest
  @EnumSource(Store.class)
  void aRollupAsksNoMoreOfManyFilesThanOfOne(Store store) throws Exception {
    int ofOne = statementsOfARollup(store, 1);
    assertThat(ofOne).isPositive();
    assertThat(statementsOfARollup(store, 60)).isEqualTo(ofOne);
  }

  private int statementsOfARollup(Store store, int films) throws Exception {
    World world = new World();
    for (int i = 0; i < films; i++) {
      String film = "f" + i;
      world.facts(film, 5400, null).file("2026-10-20T08:00:00Z", film, film, "video", 1_000_000);
      world.watched("2026-10-26T18:00:00Z", "ann", film, 0, 600);
    }
    try (Daemon daemon = listening(store)) {
      world.tell(daemon);
      daemon.bean(Rollup.class).run();
      // The daemon's own turn may come before ours; then once more.
      for (int days = 0; days == 0; ) {
        daemon
            .bean(Database.class)
            .write(
                writing -> {
                  LocalDate day = LocalDate.parse("2026-10-26");
                  daemon.bean(DirtyDays.class).mark(writing, List.of(day));
                  return true;
                });
        said.list.clear();
        days = daemon.bean(Rollup.class).run();
      }
      return statements(Thread.currentThread().getName()).size();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "/api/analytics/popular?range=400d, rollup_play_ranking",
    "/api/stats, rollup_play_ranking",
    "/api/analytics/users/engagement?range=400d, visit_day",
    "/api/analytics/users/engagement?range=400d, playback_session_day",
    "/api/analytics/users/engagement?range=400d&userId=ann, playback_session_day",
    "/api/analytics/storage/summary, rollup_play_file",
    "/api/analytics/insights, rollup_play_file",
  })
  void aReportReadsAnIndexThatHoldsAllItAddsUp(String path, String index) throws Exception {
    assertThat(plans(path)).anyMatch(step -> step.contains("USING COVERING INDEX " + index));
  }

  @Test
  void replaysAreFoundWithoutALookAtEverySession() throws Exception {
    assertThat(plans("/api/analytics/most-replayed"))
        .anyMatch(step -> step.contains("INDEX playback_session_replayed"));
  }

  @Test
  void theNextFileToReadIsTheFirstOfAnIndex() throws Exception {
    try (Daemon daemon = listening(Store.SQLITE)) {
      List<String> asked = List.of();
      for (int i = 0; asked.isEmpty() && i < 100; i++) {
        Thread.sleep(100);
        asked = statements("analysis-describe");
      }
      assertThat(asked).isNotEmpty().allMatch(statement -> statement.contains("analysis_job"));
      assertThat(plans(daemon, asked))
          .anyMatch(step -> step.contains("INDEX analysis_job_next"))
          .noneMatch(step -> step.contains("TEMP B-TREE"));
    }
  }

  /** The steps of all that SQLite is asked for one report; none goes through a large table. */
  private List<String> plans(String path) throws Exception {
    try (Daemon daemon = listening(Store.SQLITE)) {
      said.list.clear();
      daemon.get(path);
      List<String> steps = plans(daemon, statements("http-nio"));
      assertThat(steps)
          .isNotEmpty()
          .noneMatch(step -> step.matches("SCAN (visit|playback_session|rollup_play|event)"));
      return steps;
    }
  }

  private static List<String> plans(Daemon daemon, List<String> statements) {
    List<String> steps = new ArrayList<>();
    for (String statement : statements) {
      long places = statement.chars().filter(c -> c == '?').count();
      List<Object> nothing = new ArrayList<>(Collections.nCopies((int) places, 0));
      daemon
          .bean(Database.class)
          .read()
          .sql("explain query plan " + statement)
          .params(nothing)
          .query(
              row -> {
                steps.add(row.getString("detail"));
              });
    }
    return steps;
  }

  private List<String> statements(String thread) {
    List<ILoggingEvent> all;
    synchronized (said) {
      all = List.copyOf(said.list);
    }
    return all.stream()
        .filter(event -> event.getThreadName().startsWith(thread))
        .map(event -> STATEMENT.matcher(event.getFormattedMessage()))
        .filter(Matcher::find)
        .map(found -> found.group(1))
        .toList();
  }
}
