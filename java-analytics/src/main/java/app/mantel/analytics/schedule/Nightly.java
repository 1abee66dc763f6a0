package app.mantel.analytics.schedule;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.db.Dialect;
import app.mantel.analytics.playback.DirtyDays;
import app.mantel.analytics.privacy.Aliases;
import app.mantel.analytics.settings.DayBorders;
import java.time.Clock;
import java.time.LocalDate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Work of once a day. A box may be off at night, so each quarter of an hour it is looked whether
 * the day's run is there yet: what was missed is caught up soon after the start.
 */
@Component
class Nightly {
  private static final Logger log = LoggerFactory.getLogger(Nightly.class);
  private static final long LOOK_EVERY_MS = 15 * 60_000;
  private static final long DAY_MS = 86_400_000;

  private static final long RUN_DAYS = 90;

  private final Database database;
  private final DayBorders borders;
  private final DirtyDays dirty;
  private final Clock clock;

  Nightly(Database database, DayBorders borders, DirtyDays dirty, Clock clock) {
    this.database = database;
    this.borders = borders;
    this.dirty = dirty;
    this.clock = clock;
  }

  @Scheduled(fixedDelay = LOOK_EVERY_MS, initialDelay = 60_000)
  void look() {
    run("retention", this::retention);
    run("ranking", this::ranking);
  }

  /** Runs {@code work} unless it went well today already; what happened stands in job_run. */
  void run(String name, Runnable work) {
    String today = borders.day(clock.millis()).toString();
    boolean done =
        database
            .read()
            .sql("select 1 from job_run where name = ? and period = ? and status = 'done'")
            .params(name, today)
            .query(Integer.class)
            .optional()
            .isPresent();
    if (done) {
      return;
    }
    long startedAt = clock.millis();
    note(
        "insert into job_run (name, period, started_at, status) values (?, ?, ?, 'running')",
        name,
        today,
        startedAt);
    try {
      work.run();
      note(
          "update job_run set status = 'done', finished_at = ? where name = ? and started_at = ?",
          clock.millis(),
          name,
          startedAt);
    } catch (RuntimeException fault) {
      log.error("the job {} failed", name, fault);
      note(
          "update job_run set status = 'failed', finished_at = ?, error = ? where name = ? and started_at = ?",
          clock.millis(),
          String.valueOf(fault.getMessage()),
          name,
          startedAt);
    }
  }

  private void note(String statement, Object... values) {
    database.write(store -> store.sql().sql(statement).params(values).update());
  }

  void retention() {
    long now = clock.millis();
    LocalDate lastKey = borders.day(now).minusDays(Aliases.KEY_DAYS);
    database.write(
        store -> {
          store.sql().sql("delete from event where began_at < ?").param(dirty.needed()).update();
          store
              .sql()
              .sql("delete from ingest_reject where rejected_at < ?")
              .param(dirty.needed())
              .update();
          store
              .sql()
              .sql("delete from job_run where started_at < ?")
              .param(now - RUN_DAYS * DAY_MS)
              .update();
          store
              .sql()
              .sql("delete from webhook_delivery where refused is not null and created_at < ?")
              .param(now - RUN_DAYS * DAY_MS)
              .update();
          // From now on nobody can tell whose these pseudonyms were.
          return store
              .sql()
              .sql("delete from privacy_key where day <> 'always' and day < ?")
              .param(lastKey.toString())
              .update();
        });
  }

  void ranking() {
    if (database.dialect() == Dialect.POSTGRESQL) {
      database.alone("refresh materialized view concurrently popular_ranking");
    }
  }
}
