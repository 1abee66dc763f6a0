package app.mantel.analytics.library.reader;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.json.JsonMapper;

/**
 * One line in, a file's path in Base64; one line out, JSON of what was found or why nothing was.
 */
public final class ReaderMain {
  private static final Set<String> MP4 = Set.of("mp4", "m4v", "mov", "m4a", "m4b", "3gp", "3g2");
  private static final Set<String> MUSIC =
      Set.of("mp3", "flac", "ogg", "oga", "wav", "aiff", "aif", "wma");
  private static final Set<String> PHOTO =
      Set.of("jpg", "jpeg", "png", "gif", "webp", "heic", "heif", "avif", "bmp", "tif", "tiff");

  private ReaderMain() {}

  /** Whether a reader of ours knows files of this name's ending. */
  public static boolean knows(String name) {
    String ending = ending(name);
    return MP4.contains(ending) || MUSIC.contains(ending) || PHOTO.contains(ending);
  }

  public static void main(String[] args) throws IOException {
    JsonMapper json = JsonMapper.builder().build();
    // What a library prints must not be taken for an answer.
    PrintStream out = System.out;
    System.setOut(System.err);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      Path file = NameBytes.path(Base64.getDecoder().decode(line));
      Map<String, Object> answer = new LinkedHashMap<>();
      try {
        Found found = read(file);
        answer.put("facts", found.facts);
        answer.put("codecs", found.codecs);
        answer.put("tags", found.tags);
        answer.put("subtitles", found.subtitles);
        answer.put("positions", found.positions);
        answer.put("times", found.times);
      } catch (IOException | RuntimeException cannot) {
        answer.put("cannot", String.valueOf(cannot.getMessage()));
      }
      out.println(json.writeValueAsString(answer));
      out.flush();
    }
  }

  static Found read(Path file) throws IOException {
    String ending = ending(file.getFileName().toString());
    if (MP4.contains(ending)) {
      return Mp4Reader.read(file);
    }
    return MUSIC.contains(ending) ? MusicReader.read(file) : PhotoReader.read(file);
  }

  private static String ending(String name) {
    return name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
  }
}
