package app.mantel.analytics.library;

import app.mantel.analytics.settings.Settings;
import app.mantel.analytics.webhook.Hooks;
import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/**
 * Tells the appliance where to look. A hint only: the truth is the appliance's own scan.
 *
 * <p>Rules: each folder is watched by itself, since Linux watches no trees; a new one is walked
 * once it is watched, for what came before. Where the system gives no more watches, or the folder
 * lies on a network mount, whose events never arrive, its time is looked at every few seconds
 * instead.
 */
@Component
class Watcher implements SmartLifecycle {
  private static final Logger log = LoggerFactory.getLogger(Watcher.class);
  private static final Set<String> NETWORK =
      Set.of("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p");
  private static final String PRIVATE = ".mantel";
  private static final long GATHER_MS = 250;
  private static final long LOOK_EVERY_MS = 5_000;
  private static final int MOST_PATHS = 100;

  private final Settings settings;
  private final Hooks hooks;
  private final Map<WatchKey, Path> watched = new HashMap<>();
  private final Map<Path, FileTime> polled = new HashMap<>();
  private final Set<Path> changed = new LinkedHashSet<>();
  private volatile boolean running;
  private boolean toldLimit;
  private long lookAt;
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
    try (WatchService service = java.nio.file.FileSystems.getDefault().newWatchService()) {
      for (Path root : settings.library()) {
        walk(service, root, false);
      }
      while (running) {
        gather(service);
        if (System.currentTimeMillis() >= lookAt) {
          look(service);
        }
        tell();
      }
    } catch (InterruptedException | ClosedWatchServiceException stopped) {
      Thread.currentThread().interrupt();
    } catch (IOException none) {
      log.warn(
          "folders are not watched ({}); changes are found by the appliance's own scans",
          none.getMessage());
    }
  }

  private void gather(WatchService service) throws InterruptedException {
    WatchKey key =
        service.poll(changed.isEmpty() ? LOOK_EVERY_MS : GATHER_MS, TimeUnit.MILLISECONDS);
    if (key != null && changed.isEmpty()) {
      // What comes together is told together.
      Thread.sleep(GATHER_MS);
    }
    for (; key != null; key = service.poll()) {
      Path folder = watched.get(key);
      for (WatchEvent<?> event : key.pollEvents()) {
        if (folder == null) {
          continue;
        }
        changed.add(folder);
        if (event.kind() == StandardWatchEventKinds.ENTRY_CREATE
            && event.context() instanceof Path name) {
          Path made = folder.resolve(name);
          if (Files.isDirectory(made, LinkOption.NOFOLLOW_LINKS)) {
            walk(service, made, true);
          }
        } else if (event.kind() == StandardWatchEventKinds.OVERFLOW) {
          walk(service, folder, true);
        }
      }
      if (!key.reset()) {
        watched.remove(key);
      }
    }
  }

  /** Watches {@code top} and all beneath; {@code hint}: what is there already is news. */
  private void walk(WatchService service, Path top, boolean hint) {
    boolean network = onNetwork(top);
    try {
      Files.walkFileTree(
          top,
          new SimpleFileVisitor<Path>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
              if (folder.getFileName() != null && folder.getFileName().toString().equals(PRIVATE)) {
                return FileVisitResult.SKIP_SUBTREE;
              }
              watch(service, folder, attributes.lastModifiedTime(), network);
              if (hint) {
                changed.add(folder);
              }
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException gone) {
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException gone) {
      changed.add(top);
    }
  }

  private void watch(WatchService service, Path folder, FileTime time, boolean network) {
    if (!network) {
      try {
        watched.put(
            folder.register(
                service,
                StandardWatchEventKinds.ENTRY_CREATE,
                StandardWatchEventKinds.ENTRY_MODIFY,
                StandardWatchEventKinds.ENTRY_DELETE),
            folder);
        polled.remove(folder);
        return;
      } catch (IOException limit) {
        if (!toldLimit) {
          log.warn(
              "not all folders can be watched ({}); the rest are looked at every few seconds",
              limit.getMessage());
          toldLimit = true;
        }
      }
    }
    polled.put(folder, time);
  }

  private static boolean onNetwork(Path folder) {
    try {
      return NETWORK.contains(Files.getFileStore(folder).type());
    } catch (IOException away) {
      return false;
    }
  }

  private void look(WatchService service) {
    lookAt = System.currentTimeMillis() + LOOK_EVERY_MS;
    for (Map.Entry<Path, FileTime> folder : List.copyOf(polled.entrySet())) {
      try {
        FileTime now = Files.getLastModifiedTime(folder.getKey(), LinkOption.NOFOLLOW_LINKS);
        if (!now.equals(folder.getValue())) {
          polled.put(folder.getKey(), now);
          walk(service, folder.getKey(), true);
        }
      } catch (IOException gone) {
        polled.remove(folder.getKey());
        changed.add(folder.getKey());
      }
    }
  }

  /**
   * An appliance that is away looks by itself when it is back, so a hint is tried once more and
   * dropped.
   */
  private void tell() throws InterruptedException {
    if (changed.isEmpty()) {
      return;
    }
    List<String> paths =
        changed.size() > MOST_PATHS
            ? settings.library().stream().map(Path::toString).toList()
            : changed.stream().map(Path::toString).toList();
    changed.clear();
    if (!hooks.tell("library-changed", Map.of("paths", paths))) {
      Thread.sleep(1_000);
      hooks.tell("library-changed", Map.of("paths", paths));
    }
  }
}
