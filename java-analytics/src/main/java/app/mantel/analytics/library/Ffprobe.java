package app.mantel.analytics.library;

import app.mantel.analytics.library.Facts.Keyframes;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * ffprobe, for what our readers do not know.
 *
 * <p>Only containers that hold media themselves are allowed: a playlist named .mp4 made an earlier
 * ffmpeg read other files in spite of a protocol whitelist.
 */
public final class Ffprobe implements AutoCloseable {
  private static final String FORMATS =
      "matroska,webm,avi,mpegts,mpeg,mpegvideo,mov,mp4,m4a,3gp,3g2,mj2,flac,ogg,wav,w64,mp3,aac,asf,flv,aiff,wv,"
          + "ape,mpc,mpc8,dts,ac3,eac3,truehd,rm,caf,tta,amr,dsf,au,nut,wtv";

  /** How a program in the cell names the file that is its standard input. */
  public static final String THE_FILE = "file:/proc/self/fd/0";

  /** Input options of every call of ffprobe and ffmpeg on a stranger's file. */
  public static final List<String> GUARDED =
      List.of("-protocol_whitelist", "file,pipe", "-format_whitelist", FORMATS);

  private static final int MEGABYTES = 1024;
  private static final int LARGEST_ANSWER = 1 << 20;
  private static final long DEADLINE_SECONDS = 30;
  private static final long INDEX_DEADLINE_SECONDS = 600;
  private static final int LONGEST_LINE = 1000;
  private static final int MOST_KEYFRAMES = 100_000;

  private final JsonMapper json;
  private final ScheduledExecutorService deadline =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "ffprobe-deadline");
            thread.setDaemon(true);
            return thread;
          });

  Ffprobe(JsonMapper json) {
    this.json = json;
  }

  private static Process start(Path file, long seconds, String... more) throws IOException {
    List<String> command = new ArrayList<>(List.of("ffprobe", "-v", "error"));
    command.addAll(GUARDED);
    command.addAll(List.of(more));
    command.add(THE_FILE);
    return Cell.start(new Cell.Rights(List.of(), file, (int) seconds, MEGABYTES), command);
  }

  /** Format and streams. Throws IOException with a reason where there is nothing to be had. */
  JsonNode describe(Path file) throws IOException, InterruptedException {
    Process child = start(file, DEADLINE_SECONDS, "-of", "json", "-show_format", "-show_streams");
    ScheduledFuture<?> end =
        deadline.schedule(() -> Cell.kill(child), DEADLINE_SECONDS, TimeUnit.SECONDS);
    try (InputStream out = child.getInputStream()) {
      byte[] answer = out.readNBytes(LARGEST_ANSWER);
      if (answer.length == LARGEST_ANSWER || child.waitFor() != 0) {
        throw new IOException("ffprobe cannot read it");
      }
      return json.readTree(answer);
    } finally {
      end.cancel(false);
      Cell.kill(child);
    }
  }

  /** Keyframes of the first video; reads nearly the whole file. Null where it cannot tell. */
  @Nullable Keyframes keyframes(Path file) throws IOException, InterruptedException {
    Process child =
        start(
            file,
            INDEX_DEADLINE_SECONDS,
            "-select_streams",
            "v:0",
            "-show_entries",
            "packet=pts_time,pos,flags",
            "-of",
            "csv=p=0");
    ScheduledFuture<?> end =
        deadline.schedule(() -> Cell.kill(child), INDEX_DEADLINE_SECONDS, TimeUnit.SECONDS);
    List<double[]> found = new ArrayList<>();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(child.getInputStream(), StandardCharsets.US_ASCII))) {
      for (String line = Cell.line(lines, LONGEST_LINE);
          line != null && found.size() < MOST_KEYFRAMES;
          line = Cell.line(lines, LONGEST_LINE)) {
        // pts_time,pos,flags
        String[] parts = line.split(",", -1);
        if (parts.length >= 3
            && parts[2].startsWith("K")
            && parts[0].matches("\\d{1,9}(\\.\\d+)?")
            && parts[1].matches("\\d{1,15}")) {
          found.add(new double[] {Double.parseDouble(parts[1]), Double.parseDouble(parts[0])});
        }
      }
      child.waitFor();
    } finally {
      end.cancel(false);
      Cell.kill(child);
    }
    return found.isEmpty()
        ? null
        : new Keyframes(
            found.stream().mapToLong(point -> (long) point[0]).toArray(),
            found.stream().mapToDouble(point -> point[1]).toArray());
  }

  @Override
  public void close() {
    deadline.shutdownNow();
  }
}
