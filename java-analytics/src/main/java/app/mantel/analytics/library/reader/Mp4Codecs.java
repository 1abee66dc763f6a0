package app.mantel.analytics.library.reader;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Sample descriptions of MP4 (ISO 14496-12, -14 and -15) in the words of ffprobe. */
final class Mp4Codecs {
  private static final Map<String, String> VIDEO =
      Map.of(
          "avc1", "h264", "avc3", "h264", "hvc1", "hevc", "hev1", "hevc", "av01", "av1", "vp09",
          "vp9", "mp4v", "mpeg4", "jpeg", "mjpeg", "apch", "prores");
  private static final Map<String, String> AUDIO =
      Map.of(
          "mp4a",
          "aac",
          "ac-3",
          "ac3",
          "ec-3",
          "eac3",
          "alac",
          "alac",
          "Opus",
          "opus",
          "fLaC",
          "flac",
          ".mp3",
          "mp3",
          "sowt",
          "pcm_s16le");
  private static final Map<String, String> SUBTITLES =
      Map.of("tx3g", "mov_text", "wvtt", "webvtt", "stpp", "ttml");
  private static final Map<Integer, String> AVC_PROFILES =
      Map.of(66, "Baseline", 77, "Main", 88, "Extended", 100, "High", 110, "High 10");
  private static final Map<Integer, String> HEVC_PROFILES = Map.of(1, "Main", 2, "Main 10");

  /** ISO 14496-3, table 1.17. */
  private static final Map<Integer, String> AAC_PROFILES =
      Map.of(1, "Main", 2, "LC", 5, "HE-AAC", 29, "HE-AACv2");

  /** Object types of ISO 14496-1, table 5, that are no AAC. */
  private static final Map<Integer, String> OBJECT_TYPES =
      Map.of(0x69, "mp3", 0x6b, "mp3", 0xa5, "ac3", 0xa6, "eac3", 0xa9, "dts", 0xdd, "vorbis");

  private static final int ES_DESCRIPTOR = 3;
  private static final int DECODER_CONFIG = 4;
  private static final int DECODER_SPECIFIC = 5;

  private Mp4Codecs() {}

  static String video(String type) {
    return VIDEO.getOrDefault(type, type.strip());
  }

  static String audio(String type) {
    return AUDIO.getOrDefault(type, type.strip());
  }

  static String subtitle(String type) {
    return SUBTITLES.getOrDefault(type, type.strip());
  }

  /** AVCDecoderConfigurationRecord: profile, constraints, level. */
  static void avc(ByteBuffer record, Map<String, Object> codecs) {
    if (record.remaining() < 4) {
      return;
    }
    int profile = record.get(1) & 0xff;
    boolean constrained = (record.get(2) & 0x40) != 0;
    codecs.put(
        "videoProfile",
        (profile == 66 && constrained ? "Constrained " : "")
            + AVC_PROFILES.getOrDefault(profile, Integer.toString(profile)));
    codecs.put("videoLevel", String.valueOf((record.get(3) & 0xff) / 10.0));
    if (profile <= 110) {
      codecs.put("pixelFormat", profile == 110 ? "yuv420p10le" : "yuv420p");
    }
  }

  /** HEVCDecoderConfigurationRecord: profile and level. */
  static void hevc(ByteBuffer record, Map<String, Object> codecs) {
    if (record.remaining() < 13) {
      return;
    }
    String profile = HEVC_PROFILES.get(record.get(1) & 0x1f);
    if (profile != null) {
      codecs.put("videoProfile", profile);
      codecs.put("pixelFormat", profile.equals("Main 10") ? "yuv420p10le" : "yuv420p");
    }
    codecs.put("videoLevel", String.valueOf((record.get(12) & 0xff) / 30.0));
  }

  /** An esds box: what mp4a really holds, and for AAC the profile and channels that count. */
  static void elementary(ByteBuffer box, Map<String, Object> codecs) {
    box.position(4);
    while (box.remaining() >= 2) {
      int tag = box.get();
      int length = 0;
      int part;
      do {
        part = box.get();
        length = length << 7 | (part & 0x7f);
      } while ((part & 0x80) != 0 && length < 1 << 20);
      switch (tag) {
        case ES_DESCRIPTOR -> {
          int flags = box.get(box.position() + 2);
          int more = (flags & 0x80) != 0 ? 2 : 0;
          box.position(box.position() + 3 + more);
        }
        case DECODER_CONFIG -> {
          String other = OBJECT_TYPES.get(box.get(box.position()) & 0xff);
          if (other != null) {
            codecs.put("audio", other);
            return;
          }
          box.position(box.position() + 13);
        }
        case DECODER_SPECIFIC -> {
          if (length >= 2) {
            aac(box.getShort(box.position()) & 0xffff, codecs);
          }
          return;
        }
        default -> box.position(box.position() + length);
      }
    }
  }

  /**
   * AudioSpecificConfig (ISO 14496-3, 1.6.2.1): 5 bits of type, 4 of sample rate, 4 of channels.
   */
  private static void aac(int config, Map<String, Object> codecs) {
    String profile = AAC_PROFILES.get(config >> 11);
    if (profile != null) {
      codecs.put("audioProfile", profile);
    }
    int channels = config >> 3 & 0xf;
    if (channels > 0 && channels <= 7) {
      codecs.put("audioChannels", channels == 7 ? 8 : channels);
    }
  }

  /** mdhd packs three letters into 15 bits, each less 0x60; empty where there is none. */
  static String language(int packed) {
    byte[] letters = new byte[3];
    for (int i = 0; i < 3; i++) {
      letters[i] = (byte) ((packed >> (10 - 5 * i) & 0x1f) + 0x60);
    }
    String text = new String(letters, StandardCharsets.US_ASCII);
    return text.matches("[a-z]{3}") && !text.equals("und") ? text : "";
  }
}
