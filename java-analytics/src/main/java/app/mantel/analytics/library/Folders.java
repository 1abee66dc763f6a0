package app.mantel.analytics.library;

import java.io.IOException;
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
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folders beneath the media roots, and which of them changed.
 *
 * <p>Rules: each folder is watched by itself, since Linux watches no trees; a new one is walked
 * once it is watched, for what came before. Where the system gives no more watches, or a folder
 * lies on a network mount, whose events never arrive, its time is looked at instead. A root may
 * come, go and be mounted over.
 */
final class Folders {
  /** Gives a folder to the system to watch; throws IOException at its limit. */
  interface Watch {
    WatchKey of(Path folder) throws IOException;
  }

  private static final Logger log = LoggerFactory.getLogger(Folders.class);
  private static final String PRIVATE = ".mantel";
  private static final long GATHER_MS = 250;
  private static final Set<String> NETWORK =
      Set.of(
          "nfs",
          "nfs4",
          "cifs",
          "smb3",
          "smbfs",
          "9p",
          "ceph",
          "glusterfs",
          "virtiofs",
          "vboxsf",
          "fuse.sshfs",
          "fuse.rclone",
          "fuse.glusterfs",
          "fuse.davfs",
          "fuse.s3fs");

  private final List<Path> roots;
  private final @Nullable WatchService service;
  private final Watch watch;
  private final Predicate<Path> remote;
  private final Map<WatchKey, Path> watched = new HashMap<>();
  private final Map<Path, FileTime> polled = new HashMap<>();
  private final Map<Path, Object> rootKeys = new HashMap<>();
  private final Map<Object, Boolean> remoteByDevice = new HashMap<>();
  private boolean toldLimit;

  /** {@code service} is null where the system has none left: then all is looked at. */
  Folders(List<Path> roots, @Nullable WatchService service) {
    this(roots, service, folder -> register(folder, service), Folders::isOnNetwork);
  }

  /** {@code remote}: whether changes of a folder may be made elsewhere, unheard. */
  Folders(List<Path> roots, @Nullable WatchService service, Watch watch, Predicate<Path> remote) {
    this.roots = roots;
    this.service = service;
    this.watch = watch;
    this.remote = remote;
  }

  private static WatchKey register(Path folder, @Nullable WatchService service) throws IOException {
    if (service == null) {
      throw new IOException("no watch can be made");
    }
    return folder.register(
        service,
        StandardWatchEventKinds.ENTRY_CREATE,
        StandardWatchEventKinds.ENTRY_MODIFY,
        StandardWatchEventKinds.ENTRY_DELETE);
  }

  private static boolean isOnNetwork(Path folder) {
    try {
      return NETWORK.contains(Files.getFileStore(folder).type());
    } catch (IOException away) {
      return false;
    }
  }

  /** Watches all that is there; nothing of it is news. */
  void begin() {
    for (Path root : roots) {
      rootKeys.put(root, identity(root));
      walk(root, new LinkedHashSet<>());
    }
  }

  /** Folders that changed, once something did or {@code waitMs} are over. */
  Set<Path> next(long waitMs) throws InterruptedException {
    Set<Path> changed = new LinkedHashSet<>();
    if (service == null) {
      Thread.sleep(waitMs);
      return changed;
    }
    WatchKey key = service.poll(waitMs, TimeUnit.MILLISECONDS);
    if (key == null) {
      return changed;
    }
    // What comes together is told together.
    Thread.sleep(GATHER_MS);
    Set<Path> made = new LinkedHashSet<>();
    Set<Path> lost = new LinkedHashSet<>();
    for (; key != null; key = service.poll()) {
      Path folder = watched.get(key);
      for (WatchEvent<?> event : key.pollEvents()) {
        if (folder == null) {
          continue;
        }
        changed.add(folder);
        if (event.kind() == StandardWatchEventKinds.OVERFLOW) {
          lost.add(folder);
        } else if (event.kind() == StandardWatchEventKinds.ENTRY_CREATE
            && event.context() instanceof Path name) {
          made.add(folder.resolve(name));
        }
      }
      if (!key.reset()) {
        watched.remove(key);
      }
    }
    // The system's own queue ran over: every folder says so, and one walk over all serves them.
    (lost.size() > 1 ? roots : lost).forEach(top -> walk(top, changed));
    made.stream()
        .filter(path -> Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS))
        .forEach(path -> walk(path, changed));
    return changed;
  }

  /** Folders that changed since the last look, of those that are not watched. */
  Set<Path> look() {
    Set<Path> changed = new LinkedHashSet<>();
    for (Path root : roots) {
      Object now = identity(root);
      if (!now.equals(rootKeys.put(root, now))) {
        polled.keySet().removeIf(folder -> folder.startsWith(root));
        changed.add(root);
        walk(root, changed);
      }
    }
    for (Map.Entry<Path, FileTime> folder : List.copyOf(polled.entrySet())) {
      try {
        FileTime now = Files.getLastModifiedTime(folder.getKey(), LinkOption.NOFOLLOW_LINKS);
        if (!now.equals(folder.getValue())) {
          walk(folder.getKey(), changed);
        }
      } catch (IOException gone) {
        polled.remove(folder.getKey());
        changed.add(folder.getKey());
      }
    }
    return changed;
  }

  int watchedCount() {
    return watched.size();
  }

  int polledCount() {
    return polled.size();
  }

  /** Which folder it is, whatever its name; a text where there is none. */
  private static Object identity(Path root) {
    try {
      Object key = Files.readAttributes(root, BasicFileAttributes.class).fileKey();
      return Objects.requireNonNullElse(key, "unknown");
    } catch (IOException away) {
      return "away";
    }
  }

  /** Watches {@code top} and all beneath, and adds them to {@code news}. */
  private void walk(Path top, Set<Path> news) {
    try {
      Files.walkFileTree(
          top,
          new SimpleFileVisitor<Path>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
              if (folder.getFileName() != null && folder.getFileName().toString().equals(PRIVATE)) {
                return FileVisitResult.SKIP_SUBTREE;
              }
              add(folder, attributes.lastModifiedTime());
              news.add(folder);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException gone) {
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException gone) {
      news.add(top);
    }
  }

  private void add(Path folder, FileTime time) {
    if (!isRemote(folder)) {
      try {
        watched.put(watch.of(folder), folder);
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

  private boolean isRemote(Path folder) {
    try {
      Object device = Files.getAttribute(folder, "unix:dev", LinkOption.NOFOLLOW_LINKS);
      return remoteByDevice.computeIfAbsent(device, unknown -> remote.test(folder));
    } catch (IOException gone) {
      return false;
    }
  }
}
