package app.mantel.analytics.phone;

import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * What every phone plays: H.264 of eight bits with AAC or MP3; the container is changed on the way.
 */
final class Playable {
  private static final Set<String> SOUND = Set.of("aac", "mp3", "");
  private static final Set<String> PIXELS = Set.of("yuv420p", "yuvj420p", "");

  private Playable() {}

  /** {@code codecs} as in the facts of a file. */
  static boolean everywhere(JsonNode codecs) {
    return codecs.path("video").asString("").equals("h264")
        && PIXELS.contains(codecs.path("pixelFormat").asString(""))
        && SOUND.contains(codecs.path("audio").asString(""));
  }
}
