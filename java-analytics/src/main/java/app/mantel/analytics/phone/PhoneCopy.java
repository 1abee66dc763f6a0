package app.mantel.analytics.phone;

import app.mantel.analytics.library.Cell;
import app.mantel.analytics.library.Ffprobe;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One copy in the making: the picture minute by minute, then the sound, then both in one MP4. What
 * is done stays done: after a power cut the next minute follows the last whole one.
 *
 * @param source the film; it is only read
 * @param work a folder of this copy's own
 * @param made what it is called in the end
 * @param seconds of the film
 */
record PhoneCopy(Path source, Path work, Path made, double seconds, boolean hasSound) {
  static final int PIECE_SECONDS = 60;

  private static final int CPU_SECONDS = 3600;
  private static final long WITHIN_HOURS = 2;
  private static final int MEGABYTES = 2048;
  private static final long LARGEST_PIECE = 256L << 20;

  /**
   * Pieces fit together because no frame looks at a later one; 720 lines, or columns if upright.
   */
  private static final List<String> PICTURE =
      List.of(
          "-map",
          "0:v:0",
          "-an",
          "-sn",
          "-dn",
          "-vf",
          "scale=w='if(gt(iw,ih),min(1280,iw),min(720,iw))'"
              + ":h='if(gt(iw,ih),min(720,ih),min(1280,ih))'"
              + ":force_original_aspect_ratio=decrease:force_divisible_by=2",
          "-c:v",
          "libx264",
          "-preset",
          "veryfast",
          "-crf",
          "23",
          "-maxrate",
          "4M",
          "-bufsize",
          "8M",
          "-profile:v",
          "high",
          "-level:v",
          "4.0",
          "-pix_fmt",
          "yuv420p",
          "-bf",
          "0",
          "-threads",
          "1",
          "-fps_mode",
          "vfr");

  private static final List<String> SOUND =
      List.of(
          "-map",
          "0:a:0",
          "-vn",
          "-sn",
          "-dn",
          "-c:a",
          "aac",
          "-b:a",
          "128k",
          "-ac",
          "2",
          "-threads",
          "1");
  private static final List<String> PIPED =
      List.of("-muxdelay", "0", "-muxpreload", "0", "-f", "mpegts", "pipe:1");

  /** Whole pieces, and how many bytes of video.ts they are. */
  private record Progress(int pieces, long bytes) {}

  /**
   * Does the next part of the work; true when the copy is made. Throws IOException with a reason.
   */
  boolean step() throws IOException, InterruptedException {
    Files.createDirectories(work);
    Progress done = progress();
    Path sound = work.resolve("sound.ts");
    if (done.pieces() < pieces()) {
      picture(done);
    } else if (hasSound && !Files.exists(sound)) {
      Path part = work.resolve("sound.part");
      encode(List.of(), SOUND, List.of(), part, 0);
      Files.move(part, sound, StandardCopyOption.ATOMIC_MOVE);
    } else {
      finish(sound);
      return true;
    }
    return false;
  }

  private int pieces() {
    return (int) Math.ceil(seconds / PIECE_SECONDS);
  }

  private void picture(Progress done) throws IOException, InterruptedException {
    String from = Integer.toString(done.pieces() * PIECE_SECONDS);
    long bytes =
        encode(
            List.of("-ss", from, "-t", Integer.toString(PIECE_SECONDS)),
            PICTURE,
            List.of("-output_ts_offset", from),
            work.resolve("picture.ts"),
            done.bytes());
    Path note = work.resolve("progress.part");
    Files.writeString(note, (done.pieces() + 1) + " " + bytes);
    Files.move(note, work.resolve("progress"), StandardCopyOption.ATOMIC_MOVE);
  }

  private Progress progress() throws IOException {
    Path note = work.resolve("progress");
    if (!Files.exists(note)) {
      return new Progress(0, 0);
    }
    String[] parts = Files.readString(note).split(" ", -1);
    return new Progress(Integer.parseInt(parts[0]), Long.parseLong(parts[1]));
  }

  /** Writes what ffmpeg says to {@code file} from {@code at} on; returns how long it is then. */
  private long encode(List<String> input, List<String> how, List<String> output, Path file, long at)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("ffmpeg", "-v", "error", "-nostdin"));
    command.addAll(Ffprobe.GUARDED);
    command.addAll(input);
    command.addAll(List.of("-i", Ffprobe.THE_FILE));
    command.addAll(how);
    command.addAll(output);
    command.addAll(PIPED);
    Process child = Cell.start(new Cell.Rights(List.of(), source, CPU_SECONDS, MEGABYTES), command);
    try (InputStream said = child.getInputStream();
        FileChannel out =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      out.truncate(at);
      out.position(at);
      byte[] buffer = new byte[1 << 16];
      for (int count = said.read(buffer); count >= 0; count = said.read(buffer)) {
        out.write(ByteBuffer.wrap(buffer, 0, count));
        if (out.position() - at > LARGEST_PIECE) {
          throw new IOException("a piece becomes too large");
        }
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
      }
      out.force(true);
      end(child);
      return out.position();
    } finally {
      Cell.kill(child);
    }
  }

  private static void end(Process child) throws IOException, InterruptedException {
    if (!child.waitFor(WITHIN_HOURS, TimeUnit.HOURS) || child.exitValue() != 0) {
      throw new IOException("ffmpeg cannot convert it");
    }
  }

  /** One MP4 with its index in front, written where only it may be written. */
  private void finish(Path sound) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("ffmpeg", "-v", "error", "-nostdin", "-y"));
    input(command, work.resolve("picture.ts"));
    if (hasSound) {
      input(command, sound);
    }
    command.addAll(List.of("-map", "0:v:0"));
    if (hasSound) {
      command.addAll(List.of("-map", "1:a:0", "-bsf:a", "aac_adtstoasc"));
    }
    command.addAll(
        List.of("-c", "copy", "-copyts", "-movflags", "+faststart", "-f", "mp4", Cell.THE_OUTPUT));
    Path part = work.resolve("whole.part");
    Process child =
        Cell.start(new Cell.Rights(List.of(work), null, CPU_SECONDS, MEGABYTES), command, part);
    try {
      child.getOutputStream().close();
      end(child);
    } finally {
      Cell.kill(child);
    }
    try (FileChannel whole = FileChannel.open(part, StandardOpenOption.WRITE)) {
      if (whole.size() == 0) {
        throw new IOException("nothing came out of it");
      }
      whole.force(true);
    }
    Files.move(part, made, StandardCopyOption.ATOMIC_MOVE);
    remove(work);
  }

  private static void input(List<String> command, Path file) {
    command.addAll(
        List.of(
            "-protocol_whitelist", "file", "-format_whitelist", "mpegts", "-i", "file:" + file));
  }

  /** Removes a folder with its files; nothing where there is none. */
  static void remove(@Nullable Path folder) throws IOException {
    if (folder == null || !Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }
}
