package app.mantel.analytics.library.reader;

import com.drew.imaging.ImageMetadataReader;
import com.drew.imaging.ImageProcessingException;
import com.drew.metadata.Directory;
import com.drew.metadata.Metadata;
import com.drew.metadata.exif.ExifDirectoryBase;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** JPEG, PNG, WebP, GIF, HEIF and what else the library knows: size, turn, date and camera. */
final class PhotoReader {
  private static final List<String> WIDTHS = List.of("Image Width");
  private static final List<String> HEIGHTS = List.of("Image Height");

  private PhotoReader() {}

  static Found read(Path file) throws IOException {
    Metadata metadata;
    try {
      metadata = ImageMetadataReader.readMetadata(file.toFile());
    } catch (ImageProcessingException unreadable) {
      throw new IOException("it is no picture that can be read", unreadable);
    }
    Found found = new Found();
    for (Directory directory : metadata.getDirectories()) {
      boolean thumbnail = directory.getName().contains("Thumbnail");
      if (!thumbnail && !found.facts.containsKey("width")) {
        size(directory, found);
      }
      if (directory instanceof ExifDirectoryBase && !thumbnail) {
        exif(directory, found);
      }
    }
    if (!found.facts.containsKey("width")) {
      throw new IOException("it is no picture that tells its size");
    }
    found.codecs.put(
        "container",
        file.getFileName().toString().replaceFirst(".*\\.", "").toLowerCase(Locale.ROOT));
    return found;
  }

  private static void size(Directory directory, Found found) {
    Integer width = number(directory, WIDTHS);
    Integer height = number(directory, HEIGHTS);
    if (width != null
        && height != null
        && width > 0
        && height > 0
        && !(directory instanceof ExifDirectoryBase)) {
      found.facts.put("width", width);
      found.facts.put("height", height);
    }
  }

  private static @org.jspecify.annotations.Nullable Integer number(
      Directory directory, List<String> names) {
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
          "rotation", orientation == 6 ? 90 : orientation == 3 ? 180 : orientation == 8 ? 270 : 0);
    }
    String taken = exif.getString(ExifDirectoryBase.TAG_DATETIME_ORIGINAL);
    if (taken != null && taken.matches("\\d{4}:\\d\\d:\\d\\d \\d\\d:\\d\\d:\\d\\d")) {
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
