package app.mantel.analytics.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.db.Store;
import app.mantel.analytics.system.Daemon;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

/** Days pass, the box is off in between, jobs fail; on both stores. */
@ParameterizedClass
@EnumSource(Store.class)
class NightlyTest {
  private static final int DAYS = 90;

  @Parameter Store store = Store.SQLITE;
  private final Hands clock = new Hands(Instant.parse("2026-10-20T10:00:00Z"));
  private Daemon daemon;
  private Nightly nightly;

  /** A clock that is put forward by hand. */
  private static final class Hands extends Clock {
    private Instant now;

    Hands(Instant now) {
      this.now = now;
    }

    void forward(Duration by) {
      now = now.plus(by);
    }

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }

  @BeforeEach
  void start() {
    daemon = new Daemon(store.empty(), clock);
    nightly = daemon.bean(Nightly.class);
  }

  @AfterEach
  void stop() {
    daemon.close();
  }

  private List<String> runs() throws Exception {
    JsonNode runs = daemon.get("/api/analytics/jobs").get("runs");
    return runs.valueStream()
        .map(
            run ->
                run.get("name").asString()
                    + " "
                    + run.get("period").asString()
                    + " "
                    + run.get("status").asString())
        .sorted()
        .toList();
  }

  @Test
  void eachJobRunsOnceADayAndIsCaughtUp() throws Exception {
    nightly.look();
    nightly.look();
    assertThat(runs())
        .containsExactly(
            "popularity 2026-10-20 done",
            "ranking 2026-10-20 done",
            "retention 2026-10-20 done",
            "rollups 2026-10-20 done",
            "verification 2026-10-20 done");
    // Half past twelve at night in Oslo is the next day.
    clock.forward(Duration.ofHours(12).plusMinutes(30));
    nightly.look();
    assertThat(runs()).hasSize(10).contains("rollups 2026-10-21 done");
    // Off for three nights: one run when it is back, not three.
    clock.forward(Duration.ofDays(3));
    nightly.look();
    assertThat(runs()).hasSize(15).contains("rollups 2026-10-24 done");
  }

  @Test
  void whatFailsIsNotedAndTriedAgain() throws Exception {
    nightly.run(
        "moon",
        () -> {
          throw new IllegalStateException("it is cloudy");
        });
    assertThat(runs()).containsExactly("moon 2026-10-20 failed");
    JsonNode run = daemon.get("/api/analytics/jobs").get("runs").get(0);
    assertThat(run.get("error").asString()).isEqualTo("it is cloudy");
    clock.forward(Duration.ofMinutes(15));
    nightly.run("moon", () -> {});
    nightly.run(
        "moon",
        () -> {
          throw new AssertionError("it was done today");
        });
    assertThat(runs()).containsExactly("moon 2026-10-20 done", "moon 2026-10-20 failed");
  }

  @Test
  void whatAPowerCutEndedIsCalledInterruptedAndRunsAgain() throws Exception {
    daemon
        .bean(Database.class)
        .write(
            sql ->
                sql.sql()
                    .sql(
                        "insert into job_run (name, period, started_at, status)"
                            + " values ('retention', '2026-10-20', ?, 'running')")
                    .param(clock.millis() - 5_000)
                    .update());
    nightly.begin();
    nightly.look();
    assertThat(runs()).contains("retention 2026-10-20 interrupted", "retention 2026-10-20 done");
  }

  @Test
  void aNinetiethOfTheFilesIsReadAgainEachNightOldestFirst() throws Exception {
    long now = clock.millis();
    daemon
        .bean(Database.class)
        .write(
            sql -> {
              for (int i = 0; i < 2 * DAYS; i++) {
                long age = Duration.ofDays(20).plusHours(i).toMillis();
                sql.sql()
                    .sql(
                        "insert into library_file (file_id, root, path, name, folder, type, mime_type,"
                            + " size_bytes, mtime_ns, created_at, added_at, changed_at, changed_seq)"
                            + " values (?, '/srv', ?, '', '', 'document', '', 1, 1, 1, 1, 1, 1)")
                    .params("f%03d".formatted(i), "p" + i)
                    .update();
                sql.sql()
                    .sql(
                        "insert into file_facts (file_id, size_bytes, mtime_ns, described_at, facts,"
                            + " sha256, hashed_at, pending) values (?, 1, 1, 1, '{}', 'abc', ?, 0)")
                    .params("f%03d".formatted(i), now - age)
                    .update();
              }
              return true;
            });
    // None was read longer than 30 days ago.
    nightly.look();
    assertThat(waiting()).isEmpty();
    clock.forward(Duration.ofDays(20));
    nightly.look();
    assertThat(waiting()).containsExactly("f178", "f179");
    clock.forward(Duration.ofDays(1));
    nightly.look();
    // Those two still wait: nothing is queued twice.
    assertThat(waiting()).containsExactly("f178", "f179");
  }

  private List<String> waiting() {
    return daemon
        .bean(Database.class)
        .read()
        .sql("select file_id from analysis_job where kind = 'verify' order by 1")
        .query(String.class)
        .list();
  }
}
