package app.mantel.analytics.library.reader;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.file.Path;
import java.util.HexFormat;

/**
 * Paths by their bytes. On Linux a name is bytes and need not be UTF-8, as on disks of older
 * systems; a text of Java's cannot hold such a name, a {@code file:} URI can.
 */
public final class NameBytes {
  private NameBytes() {}

  /** The absolute path of these bytes; throws IllegalArgumentException for one with a zero byte. */
  public static Path path(byte[] bytes) {
    StringBuilder uri = new StringBuilder("file://");
    for (byte one : bytes) {
      if (one == '/') {
        uri.append('/');
      } else {
        uri.append('%').append(HexFormat.of().toHexDigits(one));
      }
    }
    return Path.of(URI.create(uri.toString()));
  }

  /** The bytes of an absolute path; a folder's end with a slash. */
  public static byte[] of(Path path) {
    String escaped = path.toUri().getRawPath();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(escaped.length());
    for (int i = 0; i < escaped.length(); i++) {
      char one = escaped.charAt(i);
      if (one == '%') {
        bytes.write(HexFormat.fromHexDigits(escaped, i + 1, i + 3));
        i += 2;
      } else {
        bytes.write(one);
      }
    }
    return bytes.toByteArray();
  }
}
