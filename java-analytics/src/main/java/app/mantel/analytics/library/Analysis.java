package app.mantel.analytics.library;

import app.mantel.analytics.library.reader.ReaderMain;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** One quiet thread that reads file after file: first what a list shows, then checksums. */
@Component
class Analysis implements SmartLifecycle {
  private static final Logger log = LoggerFactory.getLogger(Analysis.class);
  private static final long LOOK_EVERY_MS = 250;
  private static final long AWAY_MS = 60_000;
  private static final int IDLE_LOOKS_BEFORE_REST = 80;

  private final FactStore store;
  private final Places places;
  private final ReaderProcess reader;
  private final Ffprobe ffprobe;
  private volatile boolean running;
  private Thread thread = new Thread();

  Analysis(FactStore store, Places places, JsonMapper json) {
    this.store = store;
    this.places = places;
    reader = new ReaderProcess(json);
    ffprobe = new Ffprobe(json);
  }

  @Override
  public void start() {
    running = true;
    thread = new Thread(this::work, "analysis");
    thread.setPriority(Thread.MIN_PRIORITY);
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void stop() {
    running = false;
    thread.interrupt();
    reader.close();
    ffprobe.close();
    try {
      thread.join(1000);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  private void work() {
    int idle = 0;
    while (running) {
      try {
        Optional<FactStore.Job> job = store.take();
        if (job.isPresent()) {
          idle = 0;
          read(job.get());
          continue;
        }
        if (++idle == IDLE_LOOKS_BEFORE_REST) {
          reader.rest();
        }
        Thread.sleep(LOOK_EVERY_MS);
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

  private void read(FactStore.Job job) throws InterruptedException {
    try {
      if (job.unreadableName()) {
        throw new IOException("its name is no UTF-8");
      }
      Path file = places.file(job.root(), job.path());
      if (!Places.unchanged(file, job.sizeBytes(), job.mtimeNs())) {
        // The appliance will tell of the change, and that begins anew.
        store.later(job, AWAY_MS);
        return;
      }
      if (job.kind() == AnalysisKind.DESCRIBE) {
        describe(job, file);
      } else {
        checksum(job, file);
      }
    } catch (java.nio.file.NoSuchFileException away) {
      store.later(job, AWAY_MS);
    } catch (IOException cannot) {
      if (!running) {
        return;
      }
      log.info("file {} set aside: {}", job.fileId(), cannot.getMessage());
      store.failed(job, String.valueOf(cannot.getMessage()));
    }
  }

  private void describe(FactStore.Job job, Path file) throws IOException, InterruptedException {
    Facts facts = facts(job, file);
    if (Places.unchanged(file, job.sizeBytes(), job.mtimeNs())) {
      store.described(job, facts);
    } else {
      store.later(job, AWAY_MS);
    }
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
    String sha256 = Places.sha256(file);
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
}
