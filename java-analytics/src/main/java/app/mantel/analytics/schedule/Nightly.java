package app.mantel.analytics.schedule;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.db.Dialect;
import app.mantel.analytics.library.FactStore;
import app.mantel.analytics.playback.DirtyDays;
import app.mantel.analytics.playback.Rollup;
import app.mantel.analytics.popularity.PopularityDelivery;
import app.mantel.analytics.privacy.Aliases;
import app.mantel.analytics.settings.DayBorders;
import app.mantel.analytics.storage.StorageDays;
import jakarta.annotation.PostConstruct;
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

  /** Each file is read again so often that bytes which changed by themselves are found in time. */
  private static final int VERIFIED_WITHIN_DAYS = 90;

  private static final int QUIET_DAYS = 30;

  private final Database database;
  private final DayBorders borders;
  private final DirtyDays dirty;
  private final Rollup rollup;
  private final StorageDays storage;
  private final FactStore facts;
  private final PopularityDelivery popularity;
  private final Clock clock;

  Nightly(
      Database database,
      DayBorders borders,
      DirtyDays dirty,
      Rollup rollup,
      StorageDays storage,
      FactStore facts,
      PopularityDelivery popularity,
      Clock clock) {
    this.rollup = rollup;
    this.storage = storage;
    this.facts = facts;
    this.popularity = popularity;
    this.database = database;
    this.borders = borders;
    this.dirty = dirty;
    this.clock = clock;
  }

  @Scheduled(fixedDelay = LOOK_EVERY_MS, initialDelay = 60_000)
  void look() {
    run("rollups", this::rollups);
    run("retention", this::retention);
    run("ranking", this::ranking);
    run("popularity", popularity::again);
    run("verification", () -> facts.queueVerification(VERIFIED_WITHIN_DAYS, QUIET_DAYS));
  }

  /** What was under way when the box went off is begun anew. */
  @PostConstruct
  void begin() {
    note(
        "update job_run set status = 'interrupted', finished_at = ? where status = 'running'",
        clock.millis());
  }

  private void rollups() {
    rollup.run();
    storage.run();
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
