package app.mantel.analytics.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchService;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The kernel's own events on real folders. */
class FoldersTest {
  /** What Java keeps for one folder, then it says only that something was lost. */
  private static final int EVENTS_OF_A_FOLDER = 512;

  @TempDir Path root;
  private WatchService service;
  private Folders folders;

  @BeforeEach
  void begin() throws IOException {
    root = root.toRealPath();
    service = FileSystems.getDefault().newWatchService();
    folders = new Folders(List.of(root), service);
    folders.begin();
  }

  @AfterEach
  void close() throws IOException {
    service.close();
  }

  private Set<Path> changed(Path expected) throws InterruptedException {
    Set<Path> all = new LinkedHashSet<>();
    for (int i = 0; i < 20 && !all.contains(expected); i++) {
      all.addAll(folders.next(500));
    }
    assertThat(all).contains(expected);
    return all;
  }

  @Test
  void aTreeThatIsMadeAtOnceIsFoundWhole() throws Exception {
    Path deep = Files.createDirectories(root.resolve("a/b/c"));
    assertThat(changed(deep)).contains(root, root.resolve("a"), root.resolve("a/b"));
    Files.writeString(deep.resolve("x"), "x");
    assertThat(changed(deep)).containsExactly(deep);
  }

  @Test
  void fiveThousandFilesAtOnceAreOneChange() throws Exception {
    for (int i = 0; i < 5_000; i++) {
      Files.createFile(root.resolve("f" + i));
    }
    assertThat(changed(root)).containsExactly(root);
    while (!folders.next(300).isEmpty()) {
      // what was still under way
    }
    Files.createFile(root.resolve("one more"));
    assertThat(changed(root)).containsExactly(root);
  }

  @Test
  void aFolderThatAnOverflowHidIsFoundAllTheSame() throws Exception {
    for (int i = 0; i < 2 * EVENTS_OF_A_FOLDER; i++) {
      Files.createFile(root.resolve("f" + i));
    }
    Path last = Files.createDirectory(root.resolve("last"));
    changed(last);
    Files.createFile(last.resolve("x"));
    assertThat(changed(last)).contains(last);
  }

  @Test
  void aFolderThatWasRenamedIsToldByItsNewName() throws Exception {
    Path inner = Files.createDirectories(root.resolve("old/inner"));
    changed(inner);
    Files.move(root.resolve("old"), root.resolve("new"));
    changed(root.resolve("new"));
    Files.createFile(root.resolve("new/inner/x"));
    assertThat(changed(root.resolve("new/inner"))).doesNotContain(inner);
  }

  @Test
  void whatCannotBeWatchedIsLookedAt() throws Exception {
    Files.createDirectories(root.resolve("a/b"));
    Folders few =
        new Folders(
            List.of(root),
            service,
            folder -> {
              if (!folder.equals(root)) {
                throw new IOException("User limit of inotify watches reached");
              }
              return folder.register(service, StandardWatchEventKinds.ENTRY_CREATE);
            },
            folder -> false);
    few.begin();
    assertThat(few.watchedCount()).isEqualTo(1);
    assertThat(few.polledCount()).isEqualTo(2);
    assertThat(few.look()).isEmpty();
    Path made = Files.createDirectories(root.resolve("a/b/c/d"));
    assertThat(few.look()).containsExactlyInAnyOrder(root.resolve("a/b"), made.getParent(), made);
    Files.createFile(made.resolve("x"));
    assertThat(few.look()).containsExactly(made);
    Files.delete(made.resolve("x"));
    Files.delete(made);
    assertThat(few.look()).contains(made, made.getParent());
    assertThat(few.look()).isEmpty();
  }

  @Test
  void withoutAnyWatchAllIsLookedAt() throws Exception {
    Path folder = Files.createDirectory(root.resolve("a"));
    Folders none = new Folders(List.of(root), null);
    none.begin();
    assertThat(none.next(1)).isEmpty();
    Files.createFile(folder.resolve("x"));
    assertThat(none.look()).containsExactly(folder);
  }

  @Test
  void aNetworkMountBeneathARootIsLookedAt() throws Exception {
    Folders mixed =
        new Folders(
            List.of(root),
            service,
            folder -> folder.register(service, StandardWatchEventKinds.ENTRY_CREATE),
            folder -> true);
    mixed.begin();
    assertThat(mixed.watchedCount()).isZero();
    assertThat(mixed.polledCount()).isEqualTo(1);
  }

  @Test
  void aRootThatComesLaterOrIsMountedOverIsWatchedAnew() throws Exception {
    Path disk = root.resolve("disk");
    Folders waiting = new Folders(List.of(disk), service);
    waiting.begin();
    assertThat(waiting.watchedCount()).isZero();
    Path films = Files.createDirectories(disk.resolve("Films"));
    assertThat(waiting.look()).containsExactlyInAnyOrder(disk, films);
    assertThat(waiting.watchedCount()).isEqualTo(2);
    assertThat(waiting.look()).isEmpty();

    // another disk under the same name
    Files.move(disk, root.resolve("away"));
    Path songs = Files.createDirectories(disk.resolve("Songs"));
    assertThat(waiting.look()).contains(disk, songs);
    Files.createFile(songs.resolve("x"));
    Set<Path> heard = new LinkedHashSet<>();
    for (int i = 0; i < 20 && !heard.contains(songs); i++) {
      heard.addAll(waiting.next(500));
    }
    assertThat(heard).contains(songs);
  }

  @Test
  void ourOwnFolderIsNoNews() throws Exception {
    Path inbox = Files.createDirectories(root.resolve(".mantel/inbox"));
    Files.createDirectory(root.resolve("a"));
    changed(root.resolve("a"));
    Files.createFile(inbox.resolve("part"));
    assertThat(folders.next(600)).isEmpty();
  }
}
