package app.mantel.analytics.library;

import app.mantel.analytics.settings.Settings;
import app.mantel.analytics.webhook.Hooks;
import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.WatchService;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/** Tells the appliance where to look. A hint only: the truth is the appliance's own scan. */
@Component
class Watcher implements SmartLifecycle {
  private static final Logger log = LoggerFactory.getLogger(Watcher.class);
  private static final long LOOK_EVERY_MS = 5_000;

  /** A look at folders that cannot be watched takes at most this part of the time. */
  private static final int LOOK_SHARE = 20;

  private static final long SHORTEST_PAUSE_MS = 1_000;
  private static final long LONGEST_PAUSE_MS = 60_000;
  private static final int MOST_PATHS = 100;

  private final Settings settings;
  private final Hooks hooks;
  private final Set<Path> changed = new LinkedHashSet<>();
  private volatile boolean running;
  private long lookAt;
  private long tellAt;
  private long pause = SHORTEST_PAUSE_MS;
  private Thread thread = new Thread();

  Watcher(Settings settings, Hooks hooks) {
    this.settings = settings;
    this.hooks = hooks;
  }

  @Override
  public void start() {
    running = true;
    thread = new Thread(this::run, "watcher");
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

  private void run() {
    try (WatchService service = service()) {
      watch(new Folders(settings.library(), service));
    } catch (InterruptedException | ClosedWatchServiceException stopped) {
      Thread.currentThread().interrupt();
    } catch (IOException closing) {
      log.debug("the watch service did not close", closing);
    }
  }

  private static @Nullable WatchService service() {
    try {
      return FileSystems.getDefault().newWatchService();
    } catch (IOException none) {
      log.warn("folders cannot be watched ({}); they are looked at instead", none.getMessage());
      return null;
    }
  }

  private void watch(Folders folders) throws InterruptedException {
    folders.begin();
    lookAt = now() + LOOK_EVERY_MS;
    while (running) {
      long until = changed.isEmpty() ? lookAt : Math.min(lookAt, tellAt);
      changed.addAll(folders.next(Math.max(0, until - now())));
      if (now() >= lookAt) {
        long began = now();
        changed.addAll(folders.look());
        lookAt = now() + Math.max(LOOK_EVERY_MS, LOOK_SHARE * (now() - began));
      }
      if (!changed.isEmpty() && now() >= tellAt) {
        tell();
      }
    }
  }

  /** What is not taken is told again later, together with what came since. */
  private void tell() throws InterruptedException {
    List<String> paths =
        (changed.size() > MOST_PATHS ? settings.library() : changed)
            .stream().map(Path::toString).toList();
    if (hooks.tell("library-changed", Map.of("paths", paths))) {
      changed.clear();
      pause = SHORTEST_PAUSE_MS;
    } else {
      tellAt = now() + pause;
      pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
    }
  }

  private static long now() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
  }
}
