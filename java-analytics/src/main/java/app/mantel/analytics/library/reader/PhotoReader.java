package app.mantel.analytics.library.reader;

import com.drew.imaging.ImageMetadataReader;
import com.drew.imaging.ImageProcessingException;
import com.drew.imaging.heif.HeifMetadataReader;
import com.drew.metadata.Directory;
import com.drew.metadata.Metadata;
import com.drew.metadata.exif.ExifDirectoryBase;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** JPEG, PNG, WebP, GIF, HEIF and what else the library knows: size, turn, date and camera. */
final class PhotoReader {
  private static final List<String> WIDTHS = List.of("Image Width", "Width");
  private static final List<String> HEIGHTS = List.of("Image Height", "Height");
  private static final Set<String> HEIF = Set.of("heic", "heif", "avif");

  private PhotoReader() {}

  static Found read(Path file) throws IOException {
    String ending =
        file.getFileName().toString().replaceFirst(".*\\.", "").toLowerCase(Locale.ROOT);
    Found found = new Found();
    int[] size = {0, 0};
    for (Directory directory : metadata(file, ending).getDirectories()) {
      if (directory.getName().contains("Thumbnail")) {
        continue;
      }
      if (directory instanceof ExifDirectoryBase) {
        exif(directory, found);
      } else if (size[0] == 0) {
        size = size(directory);
      }
    }
    if (size[0] == 0) {
      throw new IOException("it is no picture that tells its size");
    }
    found.size(size[0], size[1], found.facts.get("rotation") instanceof Integer turn ? turn : 0);
    found.codecs.put(
        "container",
        switch (ending) {
          case "jpg" -> "jpeg";
          case "heic" -> "heif";
          case "tif" -> "tiff";
          default -> ending;
        });
    return found;
  }

  private static Metadata metadata(Path file, String ending) throws IOException {
    try {
      try (InputStream in = Files.newInputStream(file)) {
        // By itself the library takes AVIF for a film.
        return HEIF.contains(ending)
            ? HeifMetadataReader.readMetadata(in)
            : ImageMetadataReader.readMetadata(in, Files.size(file));
      }
    } catch (ImageProcessingException unreadable) {
      throw new IOException("it is no picture that can be read", unreadable);
    }
  }

  /** Width and height, or zeros. */
  private static int[] size(Directory directory) {
    Integer width = number(directory, WIDTHS);
    Integer height = number(directory, HEIGHTS);
    return width != null && height != null && width > 0 && height > 0
        ? new int[] {width, height}
        : new int[] {0, 0};
  }

  private static @Nullable Integer number(Directory directory, List<String> names) {
    for (com.drew.metadata.Tag tag : directory.getTags()) {
      if (names.contains(tag.getTagName())) {
        return directory.getInteger(tag.getTagType());
      }
    }
    return null;
  }

  private static void exif(Directory exif, Found found) {
    Integer orientation = exif.getInteger(ExifDirectoryBase.TAG_ORIENTATION);
    if (orientation != null) {
      found.facts.put(
          "rotation",
          switch (orientation) {
            case 3, 4 -> 180;
            case 5, 6 -> 90;
            case 7, 8 -> 270;
            default -> 0;
          });
    }
    String taken = exif.getString(ExifDirectoryBase.TAG_DATETIME_ORIGINAL);
    if (taken != null
        && !taken.startsWith("0000")
        && taken.matches("\\d{4}:\\d\\d:\\d\\d \\d\\d:\\d\\d:\\d\\d")) {
      found.facts.put(
          "takenAt", taken.substring(0, 10).replace(':', '-') + "T" + taken.substring(11));
    }
    String model = exif.getString(ExifDirectoryBase.TAG_MODEL);
    String make = exif.getString(ExifDirectoryBase.TAG_MAKE);
    if (model != null) {
      String camera = make == null || model.startsWith(make) ? model : make.strip() + " " + model;
      found.facts.put(
          "camera", camera.strip().substring(0, Math.min(100, camera.strip().length())));
    }
  }
}
