package app.mantel.analytics.library;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.playback.ByteTimeIndex;
import app.mantel.analytics.playback.DirtyDays;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/**
 * The queue of files to read, and what was read.
 *
 * <p>Rules: an attempt is written down before a file is opened. After two that did not end the file
 * is noted as broken until it changes. A file that cannot be read is noted once.
 */
@Component
public class FactStore {
  private final Database database;
  private final DirtyDays dirty;
  private final JsonMapper json;
  private final Clock clock;

  FactStore(Database database, DirtyDays dirty, JsonMapper json, Clock clock) {
    this.database = database;
    this.dirty = dirty;
    this.json = json;
    this.clock = clock;
  }

  /** A file to read; {@code sizeBytes} and {@code mtimeNs} are what the appliance's index has. */
  record Job(
      AnalysisKind kind,
      String fileId,
      String root,
      String path,
      @Nullable String pathBase64,
      String type,
      long sizeBytes,
      long mtimeNs) {}

  /**
   * What the last run of the daemon left: a file that it did not survive twice is noted as broken,
   * or set aside where it was only to be hashed.
   */
  void begin() {
    for (AnalysisKind kind : AnalysisKind.values()) {
      List<Object> values = List.of(kind.stored(), kind.mostAttempts());
      for (Job job :
          jobs(database.read(), "kind = ? and attempts >= ?", values, Integer.MAX_VALUE)) {
        failed(job, "reading it never came to an end");
      }
    }
    // What was in work then comes last: it may be why there was an end.
    database.write(
        store ->
            store
                .sql()
                .sql(
                    "update analysis_job set not_before = ? where attempts > 0 and set_aside is null")
                .param(clock.millis())
                .update());
  }

  boolean isDue(AnalysisKind kind) {
    return !due(database.read(), kind).isEmpty();
  }

  /** The next job that is due, its attempt written down; empty where there is none. */
  Optional<Job> take(AnalysisKind kind) {
    return isDue(kind) ? database.write(store -> next(store, kind)) : Optional.empty();
  }

  private Optional<Job> next(Database.Writing store, AnalysisKind kind) {
    Optional<Job> next = due(store.sql(), kind).stream().findFirst();
    next.ifPresent(
        job ->
            store
                .sql()
                .sql(
                    "update analysis_job set attempts = attempts + 1 where file_id = ? and kind = ?")
                .params(job.fileId(), kind.stored())
                .update());
    return next;
  }

  private List<Job> due(JdbcClient sql, AnalysisKind kind) {
    return jobs(
        sql,
        "kind = ? and not_before <= ? and attempts < ?",
        List.of(kind.stored(), clock.millis(), kind.mostAttempts()),
        1);
  }

  private static List<Job> jobs(JdbcClient sql, String condition, List<Object> values, int most) {
    return sql.sql(
            "select j.kind, l.* from analysis_job j join library_file l on l.file_id = j.file_id"
                + " where j.set_aside is null and l.removed_at is null and "
                + condition
                + " order by j.not_before, j.file_id limit "
                + most)
        .params(values)
        .query(
            (row, n) ->
                new Job(
                    AnalysisKind.valueOf(row.getString("kind").toUpperCase(Locale.ROOT)),
                    row.getString("file_id"),
                    row.getString("root"),
                    row.getString("path"),
                    row.getString("path_base64"),
                    row.getString("type"),
                    row.getLong("size_bytes"),
                    row.getLong("mtime_ns")))
        .list();
  }

  /**
   * Not now, and it does not count as a try: the disk is away, or the file is still being written.
   */
  void later(Job job, long delayMs) {
    database.write(
        store ->
            store
                .sql()
                .sql(
                    "update analysis_job set attempts = 0, not_before = ? where file_id = ? and kind = ?")
                .params(clock.millis() + delayMs, job.fileId(), job.kind().stored())
                .update());
  }

  /** Also takes the next job, in the same transaction: half as many for a folder of songs. */
  Optional<Job> described(Job job, Facts facts) {
    Facts.Keyframes keyframes = facts.keyframes();
    byte[] index =
        keyframes == null || facts.durationSec() <= 0
            ? null
            : ByteTimeIndex.of(
                    keyframes.positions(), keyframes.times(), job.sizeBytes(), facts.durationSec())
                .encode();
    String fields = json.writeValueAsString(facts.fields());
    return database.write(
        store -> {
          save(store, job, fields, facts.durationSec(), index, null);
          return next(store, job.kind());
        });
  }

  /** Noted once; it is tried again when the file changes. */
  void failed(Job job, String reason) {
    if (job.kind() == AnalysisKind.DESCRIBE) {
      String cut = reason.substring(0, Math.min(200, reason.length()));
      database.write(
          store -> {
            save(store, job, "{\"broken\":true}", 0, null, cut);
            return true;
          });
    } else {
      database.write(
          store ->
              store
                  .sql()
                  .sql("update analysis_job set set_aside = ? where file_id = ? and kind = ?")
                  .params(reason, job.fileId(), job.kind().stored())
                  .update());
    }
  }

  private void save(
      Database.Writing store,
      Job job,
      String facts,
      double duration,
      byte @Nullable [] index,
      @Nullable String failure) {
    store
        .sql()
        .sql(
            "insert into file_facts (file_id, size_bytes, mtime_ns, described_at, failure, duration_sec,"
                + " facts, keyframes, pending) values (?, ?, ?, ?, ?, ?, ?, ?, 1)"
                + " on conflict (file_id) do update set size_bytes = excluded.size_bytes, mtime_ns ="
                + " excluded.mtime_ns, described_at = excluded.described_at, failure ="
                + " excluded.failure, duration_sec = excluded.duration_sec, facts = excluded.facts,"
                + " keyframes = excluded.keyframes, sha256 = case when file_facts.mtime_ns ="
                + " excluded.mtime_ns and file_facts.size_bytes = excluded.size_bytes then"
                + " file_facts.sha256 else null end, pending = 1")
        .params(
            Arrays.asList(
                job.fileId(),
                job.sizeBytes(),
                job.mtimeNs(),
                clock.millis(),
                failure,
                duration,
                facts,
                index))
        .update();
    done(store, job);
    dirty.markPlaysOf(store, job.fileId());
  }

  /** {@code keyframes} is null where the index is known already or there is none. */
  void hashed(Job job, String sha256, Facts.@Nullable Keyframes keyframes) {
    database.write(
        store -> {
          store
              .sql()
              .sql(
                  "insert into file_facts (file_id, size_bytes, mtime_ns, described_at, facts, sha256, hashed_at,"
                      + " pending) values (?, ?, ?, ?, '{}', ?, ?, 1) on conflict (file_id) do update set"
                      + " facts = case when file_facts.size_bytes = excluded.size_bytes and"
                      + " file_facts.mtime_ns = excluded.mtime_ns then file_facts.facts else '{}' end,"
                      + " size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns,"
                      + " sha256 = excluded.sha256, hashed_at = excluded.hashed_at, pending = 1")
              .params(
                  job.fileId(),
                  job.sizeBytes(),
                  job.mtimeNs(),
                  clock.millis(),
                  sha256,
                  clock.millis())
              .update();
          if (keyframes != null) {
            keepIndex(store, job, keyframes);
          }
          done(store, job);
          return true;
        });
  }

  /**
   * The checksum of a file that was read again. Where size and time are as they were and the bytes
   * are not, nobody wrote it: that is noted, and what is expected stays.
   */
  void verified(Job job, String sha256) {
    database.write(
        store -> {
          int due =
              store
                  .sql()
                  .sql(
                      "update file_facts set hashed_at = ? where file_id = ? and size_bytes = ?"
                          + " and mtime_ns = ? and sha256 is not null")
                  .params(clock.millis(), job.fileId(), job.sizeBytes(), job.mtimeNs())
                  .update();
          if (due == 1) {
            // Bytes that are back, as from a backup, are no news any more.
            store
                .sql()
                .sql(
                    "delete from bit_rot where file_id = ? and exists (select 1 from file_facts f"
                        + " where f.file_id = bit_rot.file_id and f.sha256 = ?)")
                .params(job.fileId(), sha256)
                .update();
            store
                .sql()
                .sql(
                    "insert into bit_rot (file_id, noticed_at, expected_sha256, found_sha256)"
                        + " select f.file_id, cast(:now as bigint), f.sha256, :found from file_facts f"
                        + " where f.file_id = :id and f.sha256 <> :found and not exists (select 1 from"
                        + " bit_rot b where b.file_id = f.file_id and b.found_sha256 = :found)")
                .param("now", clock.millis())
                .param("found", sha256)
                .param("id", job.fileId())
                .update();
          }
          done(store, job);
          return true;
        });
  }

  /**
   * Queues the files whose bytes were looked at longest ago, so many that all are read again within
   * {@code days}; none that was read in the last {@code quietDays}. Returns how many.
   */
  public int queueVerification(int days, int quietDays) {
    return database.write(
        store -> {
          long known =
              store
                  .sql()
                  .sql(
                      "select count(*) from file_facts f join library_file l on l.file_id = f.file_id"
                          + " where f.sha256 is not null and l.removed_at is null")
                  .query(Long.class)
                  .single();
          return store
              .sql()
              .sql(
                  "insert into analysis_job (file_id, kind, attempts, not_before)"
                      + " select f.file_id, 'verify', 0, f.hashed_at from file_facts f"
                      + " join library_file l on l.file_id = f.file_id where f.sha256 is not null"
                      + " and l.removed_at is null and f.hashed_at < ? order by f.hashed_at, f.file_id"
                      + " limit ? on conflict (file_id, kind) do nothing")
              .params(clock.millis() - quietDays * 86_400_000L, (known + days - 1) / days)
              .update();
        });
  }

  private void keepIndex(Database.Writing store, Job job, Facts.Keyframes keyframes) {
    double duration =
        store
            .sql()
            .sql("select coalesce(duration_sec, 0) from file_facts where file_id = ?")
            .param(job.fileId())
            .query(Double.class)
            .single();
    if (duration > 0) {
      store
          .sql()
          .sql("update file_facts set keyframes = ? where file_id = ?")
          .params(
              ByteTimeIndex.of(keyframes.positions(), keyframes.times(), job.sizeBytes(), duration)
                  .encode(),
              job.fileId())
          .update();
      dirty.markPlaysOf(store, job.fileId());
    }
  }

  boolean hasIndex(String fileId) {
    return database
        .read()
        .sql("select 1 from file_facts where file_id = ? and keyframes is not null")
        .param(fileId)
        .query(Integer.class)
        .optional()
        .isPresent();
  }

  private static void done(Database.Writing store, Job job) {
    store
        .sql()
        .sql("delete from analysis_job where file_id = ? and kind = ?")
        .params(job.fileId(), job.kind().stored())
        .update();
  }

  /**
   * Up to {@code most} facts that the appliance was not told yet, in its words; they count as told.
   */
  public List<Map<String, Object>> takePending(Database.Writing store, int most) {
    List<Map<String, Object>> facts =
        new ArrayList<>(
            store
                .sql()
                .sql(
                    "select file_id, size_bytes, mtime_ns, facts, sha256 from file_facts where pending = 1"
                        + " order by described_at, file_id limit ?")
                .param(most)
                .query(
                    (row, n) -> {
                      Map<String, Object> fact = new LinkedHashMap<>();
                      fact.put("fileId", row.getString(1));
                      fact.put("size", row.getLong(2));
                      fact.put("mtimeNs", Long.toString(row.getLong(3)));
                      if (row.getString(5) != null) {
                        fact.put("sha256", row.getString(5));
                      }
                      json.readTree(row.getString(4))
                          .properties()
                          .forEach(field -> fact.put(field.getKey(), field.getValue()));
                      return fact;
                    })
                .list());
    store.each(
        "update file_facts set pending = 0 where file_id = ?",
        facts.stream().map(fact -> new Object[] {fact.get("fileId")}).toList());
    return facts;
  }
}
