package app.mantel.analytics.library.reader;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jaudiotagger.audio.AudioFile;
import org.jaudiotagger.audio.AudioFileIO;
import org.jaudiotagger.audio.AudioHeader;
import org.jaudiotagger.tag.FieldKey;
import org.jaudiotagger.tag.Tag;

/** MP3, FLAC, Ogg, WAV, AIFF and WMA: length and tags. */
final class MusicReader {
  private static final Map<FieldKey, String> TAGS =
      Map.of(
          FieldKey.TITLE,
          "title",
          FieldKey.ARTIST,
          "artist",
          FieldKey.ALBUM,
          "album",
          FieldKey.ALBUM_ARTIST,
          "albumArtist",
          FieldKey.GENRE,
          "genre",
          FieldKey.YEAR,
          "date",
          FieldKey.TRACK,
          "track",
          FieldKey.DISC_NO,
          "disc",
          FieldKey.COMPOSER,
          "composer");

  private static final Logger quiet = Logger.getLogger("org.jaudiotagger");

  private MusicReader() {}

  static Found read(Path file) throws IOException {
    quiet.setLevel(Level.OFF);
    if (!file.toFile().toPath().equals(file)) {
      throw new IOException("its name is no text, which the library needs");
    }
    try {
      AudioFile audio = AudioFileIO.read(file.toFile());
      AudioHeader header = audio.getAudioHeader();
      Found found = new Found();
      double seconds = header.getPreciseTrackLength();
      if (!(seconds > 0)) {
        throw new IOException("it tells no duration");
      }
      found.facts.put("durationSec", Math.round(seconds * 1000) / 1000.0);
      found.facts.put("bitrate", header.getBitRateAsNumber() * 1000L);
      String extension =
          file.getFileName().toString().replaceFirst(".*\\.", "").toLowerCase(Locale.ROOT);
      found.codecs.put("container", extension);
      found.codecs.put("audio", codec(extension, header.getBitsPerSample()));
      found.codecs.put("audioSampleRate", header.getSampleRateAsNumber());
      found.codecs.put("audioChannels", channels(header.getChannels()));
      if (extension.equals("flac") && header.getBitsPerSample() > 0) {
        found.codecs.put("audioBitDepth", header.getBitsPerSample());
      }
      Tag tag = audio.getTag();
      if (tag != null) {
        TAGS.forEach((key, name) -> found.tag(name, tag.getFirst(key)));
        found.facts.put("hasCover", !tag.getArtworkList().isEmpty());
      } else {
        found.facts.put("hasCover", false);
      }
      return found;
    } catch (IOException known) {
      throw known;
    } catch (Exception unreadable) {
      throw new IOException("it is no music that can be read", unreadable);
    }
  }

  private static String codec(String extension, int bits) {
    return switch (extension) {
      case "ogg", "oga" -> "vorbis";
      case "wav" -> "pcm_s" + bits + "le";
      case "aiff", "aif" -> "pcm_s" + bits + "be";
      case "wma" -> "wmav2";
      default -> extension;
    };
  }

  private static int channels(String text) {
    String words = text.toLowerCase(Locale.ROOT);
    return words.contains("mono")
        ? 1
        : words.contains("stereo") ? 2 : words.matches("\\d{1,2}") ? Integer.parseInt(words) : 2;
  }
}
