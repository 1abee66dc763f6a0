package app.mantel.analytics.phone;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.library.Places;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/**
 * Prepares a 720p MP4 of H.264 and AAC of each film that phones cannot play, the newest film first,
 * one at a time. The original stays as it is; the appliance finds a copy by its name, {@code
 * fileId-size-mtimeNs.mp4}, and so never one of another content.
 */
@Component
class PhoneCopies implements SmartLifecycle {
  private static final Logger log = LoggerFactory.getLogger(PhoneCopies.class);
  private static final long IDLE_MS = 60_000;
  private static final long STAYS_FREE = 1L << 30;

  /** Bytes a second of a usual copy; while it is made it is there twice. */
  private static final long USUAL_RATE = 2 * 300_000;

  private final PhoneSettings settings;
  private final Database database;
  private final Places places;
  private final JsonMapper json;
  private final Clock clock;
  private volatile boolean running;
  private boolean toldSpace;
  private Thread thread = new Thread();

  PhoneCopies(
      PhoneSettings settings, Database database, Places places, JsonMapper json, Clock clock) {
    this.settings = settings;
    this.database = database;
    this.places = places;
    this.json = json;
    this.clock = clock;
  }

  private record Film(
      String fileId,
      String root,
      String path,
      @Nullable String pathBase64,
      long sizeBytes,
      long mtimeNs,
      double seconds,
      boolean hasSound,
      boolean plays) {
    String name() {
      return fileId + "-" + sizeBytes + "-" + mtimeNs;
    }
  }

  @Override
  public void start() {
    Path folder = settings.folder();
    if (folder == null) {
      return;
    }
    running = true;
    thread = new Thread(() -> work(folder), "phone-copies");
    thread.setPriority(Thread.MIN_PRIORITY);
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void stop() {
    running = false;
    thread.interrupt();
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  private void work(Path folder) {
    while (running) {
      try {
        if (!turn(folder)) {
          Thread.sleep(IDLE_MS);
        }
      } catch (InterruptedException stopped) {
        return;
      } catch (DataAccessException | IOException fault) {
        log.warn("copies for phones wait: {}", fault.getMessage());
        pause();
      }
    }
  }

  private void pause() {
    try {
      Thread.sleep(IDLE_MS);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  /** Does one part of one copy; false where there is none to do, or no room. */
  boolean turn(Path folder) throws IOException, InterruptedException {
    Path works = Files.createDirectories(folder.resolve(".work"));
    List<Film> films = films();
    tidy(folder, works, films);
    Optional<Film> next =
        films.stream()
            .filter(film -> !film.plays() && !Files.exists(folder.resolve(film.name() + ".mp4")))
            // what was begun is ended first
            .min(java.util.Comparator.comparing(f -> !Files.exists(works.resolve(f.name()))));
    if (next.isEmpty() || !hasRoom(folder, next.get())) {
      return false;
    }
    Film film = next.get();
    try {
      Path source = places.file(film.root(), film.path(), film.pathBase64());
      if (!Places.unchanged(source, film.sizeBytes(), film.mtimeNs())) {
        // The appliance will tell of the change.
        return false;
      }
      Path made = folder.resolve(film.name() + ".mp4");
      if (new PhoneCopy(source, works.resolve(film.name()), made, film.seconds(), film.hasSound())
          .step()) {
        log.info("file {} has a copy for phones", film.fileId());
      }
    } catch (IOException cannot) {
      if (!running && Thread.currentThread().isInterrupted()) {
        return false;
      }
      log.info("file {} gets no copy for phones: {}", film.fileId(), cannot.getMessage());
      failed(film, String.valueOf(cannot.getMessage()));
      PhoneCopy.remove(works.resolve(film.name()));
    }
    return true;
  }

  /** Films whose content is known and that did not fail before. */
  private List<Film> films() {
    return database
        .read()
        .sql(
            "select l.file_id, l.root, l.path, l.path_base64, l.size_bytes, l.mtime_ns, f.duration_sec, f.facts"
                + " from library_file l join file_facts f on f.file_id = l.file_id"
                + " and f.size_bytes = l.size_bytes and f.mtime_ns = l.mtime_ns"
                + " where l.type = 'video' and l.removed_at is null"
                + " and f.failure is null and f.duration_sec > 0 and not exists"
                + " (select 1 from phone_copy_failed p where p.file_id = l.file_id"
                + " and p.size_bytes = l.size_bytes and p.mtime_ns = l.mtime_ns)"
                + " order by l.added_at desc, l.file_id")
        .query(
            (row, n) -> {
              var codecs = json.readTree(row.getString(8)).path("codecs");
              return new Film(
                  row.getString(1),
                  row.getString(2),
                  row.getString(3),
                  row.getString(4),
                  row.getLong(5),
                  row.getLong(6),
                  row.getDouble(7),
                  codecs.has("audio"),
                  !codecs.has("video") || Playable.everywhere(codecs));
            })
        .list();
  }

  /** Copies of what is gone or was changed go too. */
  private static void tidy(Path folder, Path works, List<Film> films) throws IOException {
    Set<String> known = new HashSet<>();
    films.forEach(film -> known.add(film.name()));
    for (Path copy : list(folder)) {
      String name = copy.getFileName().toString();
      if (name.endsWith(".mp4") && !known.contains(name.substring(0, name.length() - 4))) {
        Files.delete(copy);
      }
    }
    for (Path work : list(works)) {
      if (!known.contains(work.getFileName().toString())) {
        PhoneCopy.remove(work);
      }
    }
  }

  private boolean hasRoom(Path folder, Film film) throws IOException {
    long wanted = (long) (film.seconds() * USUAL_RATE);
    long used = 0;
    for (Path file : list(folder)) {
      used += Files.isRegularFile(file) ? Files.size(file) : 0;
    }
    boolean room =
        used + wanted / 2 <= settings.space()
            && Files.getFileStore(folder).getUsableSpace() - wanted >= STAYS_FREE;
    if (!room && !toldSpace) {
      log.warn("no room for more copies for phones in {}", folder);
    }
    toldSpace = !room;
    return room;
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    } catch (UncheckedIOException torn) {
      throw torn.getCause();
    }
  }

  private void failed(Film film, String reason) {
    database.write(
        store ->
            store
                .sql()
                .sql(
                    "insert into phone_copy_failed (file_id, size_bytes, mtime_ns, reason, failed_at)"
                        + " values (?, ?, ?, ?, ?) on conflict (file_id) do update set"
                        + " size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns,"
                        + " reason = excluded.reason, failed_at = excluded.failed_at")
                .params(
                    film.fileId(),
                    film.sizeBytes(),
                    film.mtimeNs(),
                    reason.substring(0, Math.min(200, reason.length())),
                    clock.millis())
                .update());
  }
}
