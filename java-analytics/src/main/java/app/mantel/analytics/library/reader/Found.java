package app.mantel.analytics.library.reader;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a reader found, as it goes over the pipe. Keyframes, where the container tells them, are
 * byte positions and seconds.
 */
public final class Found {
  /**
   * durationSec, width, height, rotation, bitrate, hasCover, takenAt, camera; missing is unknown.
   */
  public final Map<String, Object> facts = new LinkedHashMap<>();

  public final Map<String, Object> codecs = new LinkedHashMap<>();
  public final Map<String, String> tags = new TreeMap<>();

  /** Text tracks, in order: codec, language, title. */
  public final List<Map<String, String>> subtitles = new ArrayList<>();

  public long[] positions = {};
  public double[] times = {};

  private static final int LONGEST_TAG = 200;

  /** Pixels as they are stored; kept is what is seen once they are turned by {@code rotation}. */
  void size(int width, int height, int rotation) {
    boolean lying = rotation == 90 || rotation == 270;
    facts.put("width", lying ? height : width);
    facts.put("height", lying ? width : height);
  }

  /** Empty texts are left out, long ones cut. */
  void tag(String name, @org.jspecify.annotations.Nullable String value) {
    if (value != null && !value.isBlank()) {
      String text = value.strip();
      tags.put(name, text.length() > LONGEST_TAG ? text.substring(0, LONGEST_TAG) : text);
    }
  }
}
