package app.mantel.analytics.library;

import app.mantel.analytics.library.reader.ReaderMain;
import app.mantel.analytics.settings.Settings;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Quiet threads that read file after file: what a list shows, then checksums, then both again. */
@Component
class Analysis implements SmartLifecycle {
  private static final Logger log = LoggerFactory.getLogger(Analysis.class);
  private static final long LOOK_EVERY_MS = 250;
  private static final long SELDOM_MS = 1_500;
  private static final long AWAY_MS = 60_000;
  private static final long NO_PROGRAM_MS = 600_000;
  private static final int IDLE_LOOKS_BEFORE_REST = 80;

  /**
   * Bytes a second when nobody waits for it: a disk of 4 TB is read once in three months of nights.
   */
  private static final long SLOWLY = 8L << 20;

  private final FactStore store;
  private final Places places;
  private final ReaderProcess reader;
  private final Ffprobe ffprobe;
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean running;
  private volatile boolean toldNoProgram;

  Analysis(FactStore store, Places places, Settings settings, JsonMapper json) {
    this.store = store;
    this.places = places;
    reader = new ReaderProcess(json, settings.library());
    ffprobe = new Ffprobe(json);
  }

  @Override
  public void start() {
    running = true;
    store.begin();
    for (AnalysisKind kind : AnalysisKind.values()) {
      Thread thread = new Thread(() -> work(kind), "analysis-" + kind.stored());
      thread.setPriority(Thread.MIN_PRIORITY);
      thread.setDaemon(true);
      threads.add(thread);
      thread.start();
    }
  }

  @Override
  public void stop() {
    running = false;
    threads.forEach(Thread::interrupt);
    reader.close();
    ffprobe.close();
    try {
      for (Thread thread : threads) {
        thread.join(1000);
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
    threads.clear();
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  private void work(AnalysisKind kind) {
    boolean describing = kind == AnalysisKind.DESCRIBE;
    int idle = 0;
    while (running) {
      try {
        // Bytes are read in peace only once the lists are whole.
        Optional<FactStore.Job> job =
            describing || !store.isDue(AnalysisKind.DESCRIBE) ? store.take(kind) : Optional.empty();
        if (job.isPresent()) {
          idle = 0;
          while (job.isPresent()) {
            job = read(job.get());
          }
          continue;
        }
        if (++idle == IDLE_LOOKS_BEFORE_REST && describing) {
          reader.rest();
        }
        Thread.sleep(describing ? LOOK_EVERY_MS : SELDOM_MS);
      } catch (InterruptedException stopped) {
        return;
      } catch (DataAccessException fault) {
        if (running) {
          log.error("analysis waits for the store", fault);
          pause();
        }
      }
    }
  }

  private void pause() {
    try {
      Thread.sleep(5_000);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  /** Answers with the next job where it was taken already. */
  private Optional<FactStore.Job> read(FactStore.Job job) throws InterruptedException {
    if (!running) {
      store.later(job, 0);
      return Optional.empty();
    }
    try {
      Path file = places.file(job.root(), job.path(), job.pathBase64());
      if (!Places.unchanged(file, job.sizeBytes(), job.mtimeNs())) {
        // The appliance will tell of the change, and that begins anew.
        store.later(job, AWAY_MS);
        return Optional.empty();
      }
      switch (job.kind()) {
        case DESCRIBE -> {
          return describe(job, file);
        }
        case CHECKSUM -> checksum(job, file);
        case VERIFY -> verify(job, file);
      }
    } catch (NoSuchFileException away) {
      store.later(job, AWAY_MS);
    } catch (InterruptedException stopped) {
      store.later(job, 0);
      throw stopped;
    } catch (Cell.NoProgram missing) {
      if (!toldNoProgram) {
        log.warn("files are not read: {}", missing.getMessage());
        toldNoProgram = true;
      }
      store.later(job, NO_PROGRAM_MS);
    } catch (IOException cannot) {
      if (!running) {
        store.later(job, 0);
        return Optional.empty();
      }
      log.info("file {} set aside: {}", job.fileId(), cannot.getMessage());
      store.failed(job, String.valueOf(cannot.getMessage()));
    }
    return Optional.empty();
  }

  private Optional<FactStore.Job> describe(FactStore.Job job, Path file)
      throws IOException, InterruptedException {
    Facts facts = facts(job, file);
    if (Places.unchanged(file, job.sizeBytes(), job.mtimeNs())) {
      return store.described(job, facts);
    }
    store.later(job, AWAY_MS);
    return Optional.empty();
  }

  private Facts facts(FactStore.Job job, Path file) throws IOException, InterruptedException {
    String reason = "its kind is not known";
    if (ReaderMain.knows(job.path())) {
      JsonNode answer = reader.read(file);
      if (!answer.has("cannot")) {
        return Facts.ofReader(answer);
      }
      reason = answer.path("cannot").asString("");
    }
    if (job.type().equals("image")) {
      throw new IOException(reason);
    }
    return Facts.ofProbe(ffprobe.describe(file));
  }

  private void checksum(FactStore.Job job, Path file) throws IOException, InterruptedException {
    String sha256 = Places.sha256(file, Long.MAX_VALUE);
    Facts.Keyframes keyframes =
        job.type().equals("video") && !store.hasIndex(job.fileId())
            ? ffprobe.keyframes(file)
            : null;
    if (Places.unchanged(file, job.sizeBytes(), job.mtimeNs())) {
      store.hashed(job, sha256, keyframes);
    } else {
      store.later(job, AWAY_MS);
    }
  }

  private void verify(FactStore.Job job, Path file) throws IOException, InterruptedException {
    String sha256 = Places.sha256(file, SLOWLY);
    if (Places.unchanged(file, job.sizeBytes(), job.mtimeNs())) {
      store.verified(job, sha256);
    } else {
      store.later(job, AWAY_MS);
    }
  }
}
