package app.mantel.analytics.library;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * What is in a file, in the words of the feed.
 *
 * @param fields durationSec, resolution, codecs, bitrate, rotation, tags, hasCover, takenAt …
 * @param durationSec 0 where it does not play in time or that is unknown
 * @param keyframes null where the container does not tell them for nothing
 */
record Facts(Map<String, Object> fields, double durationSec, @Nullable Keyframes keyframes) {

  /** Byte positions and seconds of keyframes, in any order. */
  @SuppressWarnings("ArrayRecordComponent") // passed on once, never compared
  record Keyframes(long[] positions, double[] times) {}

  /** From the answer of our own reader. */
  static Facts ofReader(JsonNode answer) {
    Map<String, Object> fields = new LinkedHashMap<>();
    JsonNode found = answer.path("facts");
    for (String name :
        List.of("durationSec", "bitrate", "rotation", "hasCover", "takenAt", "camera")) {
      put(fields, name, found.get(name));
    }
    if (found.has("width")) {
      fields.put("resolution", found.get("width").asInt() + "x" + found.get("height").asInt());
    }
    fields.put("codecs", answer.path("codecs"));
    fields.put("tags", answer.path("tags"));
    if (!answer.path("subtitles").isEmpty()) {
      fields.put("subtitles", answer.path("subtitles"));
    }
    JsonNode positions = answer.path("positions");
    JsonNode times = answer.path("times");
    int count = Math.min(positions.size(), times.size());
    long[] at = new long[count];
    double[] seconds = new double[count];
    for (int i = 0; i < count; i++) {
      at[i] = positions.get(i).asLong();
      seconds[i] = times.get(i).asDouble();
    }
    return new Facts(
        fields,
        found.path("durationSec").asDouble(0),
        count == 0 ? null : new Keyframes(at, seconds));
  }

  /** From the answer of ffprobe. */
  static Facts ofProbe(JsonNode answer) {
    Map<String, Object> fields = new LinkedHashMap<>();
    Map<String, Object> codecs = new LinkedHashMap<>();
    Map<String, Object> tags = new LinkedHashMap<>();
    List<Map<String, String>> subtitles = new ArrayList<>();
    JsonNode format = answer.path("format");
    double duration = number(format, "duration");
    if (duration > 0) {
      fields.put("durationSec", Math.round(duration * 1000) / 1000.0);
    }
    if (number(format, "bit_rate") > 0) {
      fields.put("bitrate", (long) number(format, "bit_rate"));
    }
    codecs.put("container", container(format));
    boolean cover = false;
    for (JsonNode stream : answer.path("streams")) {
      String codec = stream.path("codec_name").asString("");
      switch (stream.path("codec_type").asString("")) {
        case "video" -> {
          if (stream.path("disposition").path("attached_pic").asInt(0) == 1) {
            cover = true;
          } else if (!codecs.containsKey("video")) {
            codecs.put("video", codec);
            put(codecs, "videoProfile", stream.get("profile"));
            put(codecs, "pixelFormat", stream.get("pix_fmt"));
            double rate = ratio(stream.path("avg_frame_rate").asString(""));
            if (rate > 0) {
              codecs.put("frameRate", Math.round(rate * 1000) / 1000.0);
            }
            level(stream, codec, codecs);
            int turn = rotation(stream);
            boolean lying = turn == 90 || turn == 270;
            int width = stream.path(lying ? "height" : "width").asInt(0);
            int height = stream.path(lying ? "width" : "height").asInt(0);
            if (width > 0 && height > 0) {
              fields.put("resolution", width + "x" + height);
            }
            fields.put("rotation", turn);
          }
        }
        case "audio" -> {
          if (!codecs.containsKey("audio")) {
            codecs.put("audio", codec);
            put(codecs, "audioProfile", stream.get("profile"));
            put(codecs, "audioChannels", stream.get("channels"));
            if (number(stream, "sample_rate") > 0) {
              codecs.put("audioSampleRate", (long) number(stream, "sample_rate"));
            }
          }
          tags(stream.path("tags"), tags);
        }
        case "subtitle" ->
            subtitles.add(
                Map.of(
                    "codec", codec,
                    "language", stream.path("tags").path("language").asString(""),
                    "title", stream.path("tags").path("title").asString("")));
        default -> {}
      }
    }
    tags(format.path("tags"), tags);
    fields.put("codecs", codecs);
    fields.put("tags", tags);
    fields.put("hasCover", cover);
    if (!subtitles.isEmpty()) {
      fields.put("subtitles", subtitles);
    }
    return new Facts(fields, duration, null);
  }

  /** One name; ffprobe names the demuxer, {@code mov,mp4,m4a,3gp,3g2,mj2}. */
  private static String container(JsonNode format) {
    String first = format.path("format_name").asString("").split(",", 2)[0];
    String brand = format.path("tags").path("major_brand").asString("qt");
    return first.equals("mov") && !brand.startsWith("qt") ? "mp4" : first;
  }

  /** ffprobe says 41 for level 4.1 of H.264, and 30 times the level for HEVC. */
  private static void level(JsonNode stream, String codec, Map<String, Object> codecs) {
    int level = stream.path("level").asInt(0);
    if (level > 0) {
      codecs.put("videoLevel", String.valueOf(level / (codec.equals("hevc") ? 30.0 : 10.0)));
    }
  }

  private static void tags(JsonNode from, Map<String, Object> tags) {
    from.properties()
        .forEach(
            entry -> {
              String name =
                  switch (entry.getKey().toLowerCase(Locale.ROOT)) {
                    case "title",
                        "artist",
                        "album",
                        "genre",
                        "date",
                        "track",
                        "disc",
                        "composer",
                        "comment",
                        "show" ->
                        entry.getKey().toLowerCase(Locale.ROOT);
                    case "album_artist" -> "albumArtist";
                    default -> "";
                  };
              if (!name.isEmpty() && entry.getValue().isString()) {
                tags.putIfAbsent(name, entry.getValue().stringValue());
              }
            });
  }

  private static int rotation(JsonNode stream) {
    for (JsonNode side : stream.path("side_data_list")) {
      if (side.has("rotation")) {
        return Math.floorMod(-side.path("rotation").asInt(0), 360);
      }
    }
    return 0;
  }

  private static double number(JsonNode from, String name) {
    String text = from.path(name).asString("");
    return text.matches("\\d{1,15}(\\.\\d+)?") ? Double.parseDouble(text) : 0;
  }

  private static double ratio(String text) {
    String[] parts = text.split("/", -1);
    return parts.length == 2 && parts[0].matches("\\d{1,9}") && parts[1].matches("[1-9]\\d{0,8}")
        ? Double.parseDouble(parts[0]) / Double.parseDouble(parts[1])
        : 0;
  }

  private static void put(Map<String, Object> into, String name, @Nullable JsonNode value) {
    if (value != null && !value.isNull()) {
      into.put(name, value);
    }
  }
}
