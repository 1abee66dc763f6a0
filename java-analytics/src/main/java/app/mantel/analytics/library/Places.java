package app.mantel.analytics.library;

import app.mantel.analytics.library.reader.NameBytes;
import app.mantel.analytics.settings.Settings;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** Files beneath the roots, and nothing else: no way out by a link or by dots. */
@Component
public class Places {
  private static final int AT_ONCE = 1 << 20;

  private final Settings settings;

  Places(Settings settings) {
    this.settings = settings;
  }

  /**
   * The file at {@code path} beneath {@code root}; {@code pathBase64} has the bytes of a path that
   * is no UTF-8. Throws IOException with a reason where there is no such regular file.
   */
  public Path file(String root, String path, @Nullable String pathBase64) throws IOException {
    try {
      Path base = Path.of(root);
      if (!settings.library().contains(base)) {
        throw new IOException("its folder is no media root");
      }
      Path file = (pathBase64 == null ? base.resolve(path) : beneath(base, pathBase64)).normalize();
      Path real = file.toRealPath();
      if (!file.startsWith(base)
          || !real.equals(base.toRealPath().resolve(base.relativize(file)))) {
        throw new IOException("it lies behind a link");
      }
      if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
        throw new IOException("it is no regular file");
      }
      return file;
    } catch (IllegalArgumentException unreadable) {
      throw new IOException("its name cannot be written", unreadable);
    }
  }

  private static Path beneath(Path base, String pathBase64) {
    byte[] path = Base64.getDecoder().decode(pathBase64);
    byte[] absolute = new byte[path.length + 1];
    absolute[0] = '/';
    System.arraycopy(path, 0, absolute, 1, path.length);
    return base.resolve(Path.of("/").relativize(NameBytes.path(absolute)));
  }

  /** Whether the file is still the one of the index. */
  public static boolean unchanged(Path file, long sizeBytes, long mtimeNs) throws IOException {
    BasicFileAttributes now =
        Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    return now.size() == sizeBytes
        && now.lastModifiedTime().to(java.util.concurrent.TimeUnit.NANOSECONDS) == mtimeNs;
  }

  /**
   * SHA-256 in lower-case hexadecimal, at {@code bytesPerSecond} at most. Throws
   * InterruptedException when the thread is interrupted.
   */
  static String sha256(Path file, long bytesPerSecond) throws IOException, InterruptedException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[AT_ONCE];
      long began = System.nanoTime();
      long done = 0;
      try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
        for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
          digest.update(buffer, 0, count);
          done += count;
          double early = (double) done / bytesPerSecond - (System.nanoTime() - began) / 1e9;
          // a sleep of no time still hears an interrupt
          Thread.sleep(Math.max(0, (long) (early * 1000)));
        }
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
