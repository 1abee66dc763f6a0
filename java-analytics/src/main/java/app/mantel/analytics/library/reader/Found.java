package app.mantel.analytics.library.reader;

import java.util.LinkedHashMap;
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
  public long[] positions = {};
  public double[] times = {};

  private static final int LONGEST_TAG = 200;

  /** Empty texts are left out, long ones cut. */
  void tag(String name, @org.jspecify.annotations.Nullable String value) {
    if (value != null && !value.isBlank()) {
      String text = value.strip();
      tags.put(name, text.length() > LONGEST_TAG ? text.substring(0, LONGEST_TAG) : text);
    }
  }
}
