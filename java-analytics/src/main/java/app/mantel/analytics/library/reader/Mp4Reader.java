package app.mantel.analytics.library.reader;

import java.io.EOFException;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * MP4 and QuickTime (ISO 14496-12): the index box only, so that a film of gigabytes costs a read of
 * a megabyte. Fragmented files, whose index tells no duration, are left to ffprobe.
 */
final class Mp4Reader {
  private static final int LARGEST_INDEX = 32 << 20;
  private static final int MOST_BOXES = 10_000;
  private static final int MOST_SAMPLES = 5_000_000;
  private static final Map<String, String> TAGS =
      Map.of(
          "\u00a9nam",
          "title",
          "\u00a9ART",
          "artist",
          "\u00a9alb",
          "album",
          "aART",
          "albumArtist",
          "\u00a9day",
          "date",
          "\u00a9gen",
          "genre",
          "\u00a9wrt",
          "composer",
          "\u00a9cmt",
          "comment",
          "tvsh",
          "show");

  private final Found found = new Found();
  private double seconds;
  private int boxes;

  private Mp4Reader() {}

  /** Throws IOException where the file is no MP4 that tells its duration. */
  static Found read(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      Mp4Reader reader = new Mp4Reader();
      reader.movie(reader.index(channel, size));
      if (reader.seconds <= 0) {
        throw new IOException("its index tells no duration");
      }
      reader.found.facts.put("durationSec", Math.round(reader.seconds * 1000) / 1000.0);
      reader.found.facts.put("bitrate", Math.round(size * 8 / reader.seconds));
      reader.found.facts.putIfAbsent("hasCover", false);
      reader.found.codecs.putIfAbsent("container", "mp4");
      return reader.found;
    } catch (BufferUnderflowException | IllegalArgumentException | IndexOutOfBoundsException torn) {
      throw new IOException("its index is torn", torn);
    }
  }

  private ByteBuffer index(FileChannel channel, long size) throws IOException {
    long at = 0;
    for (int n = 0; n < MOST_BOXES && at + 8 <= size; n++) {
      ByteBuffer head = read(channel, at, (int) Math.min(16, size - at));
      long length = head.getInt() & 0xffffffffL;
      String type = fourcc(head);
      int headLength = 8;
      if (length == 1) {
        length = head.getLong();
        headLength = 16;
      } else if (length == 0) {
        length = size - at;
      }
      if (length < headLength || length > size - at) {
        throw new IOException("a box is longer than the file");
      }
      if (type.equals("ftyp")
          && length >= headLength + 4
          && fourcc(read(channel, at + headLength, 4)).equals("qt  ")) {
        found.codecs.put("container", "mov");
      }
      if (type.equals("moov")) {
        if (length > LARGEST_INDEX) {
          throw new IOException("its index is larger than " + LARGEST_INDEX + " bytes");
        }
        return read(channel, at + headLength, (int) length - headLength);
      }
      at += length;
    }
    throw new IOException("it has no index");
  }

  private static ByteBuffer read(FileChannel channel, long at, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, at + buffer.position()) < 0) {
        throw new EOFException("it ends too early");
      }
    }
    return buffer.flip();
  }

  private static String fourcc(ByteBuffer in) {
    byte[] name = new byte[4];
    in.get(name);
    return new String(name, StandardCharsets.ISO_8859_1);
  }

  private interface Box {
    void open(String type, ByteBuffer body) throws IOException;
  }

  private void each(ByteBuffer in, Box box) throws IOException {
    while (in.remaining() >= 8) {
      if (++boxes > MOST_BOXES) {
        throw new IOException("too many boxes");
      }
      long length = in.getInt() & 0xffffffffL;
      String type = fourcc(in);
      if (length < 8 || length - 8 > in.remaining()) {
        return;
      }
      box.open(type, in.slice(in.position(), (int) length - 8));
      in.position(in.position() + (int) length - 8);
    }
  }

  private void movie(ByteBuffer moov) throws IOException {
    each(
        moov,
        (type, body) -> {
          switch (type) {
            case "mvhd" -> seconds = duration(body);
            case "trak" -> new Track().read(body);
            case "udta" -> each(body, (inner, meta) -> tags(inner, meta));
            default -> {}
          }
        });
  }

  /** mvhd and mdhd alike: version, times, timescale, duration. */
  private static double duration(ByteBuffer body) {
    boolean wide = body.get(0) == 1;
    long scale = body.getInt(wide ? 20 : 12) & 0xffffffffL;
    long length = wide ? body.getLong(24) : body.getInt(16) & 0xffffffffL;
    return scale == 0 || length == 0xffffffffL || length < 0 ? 0 : (double) length / scale;
  }

  private void tags(String type, ByteBuffer meta) throws IOException {
    if (!type.equals("meta") || meta.remaining() < 4) {
      return;
    }
    meta.position(4);
    each(
        meta,
        (inner, list) -> {
          if (inner.equals("ilst")) {
            each(list, this::tag);
          }
        });
  }

  private void tag(String name, ByteBuffer item) throws IOException {
    each(
        item,
        (type, data) -> {
          if (!type.equals("data") || data.remaining() < 8) {
            return;
          }
          data.position(8);
          String tag = TAGS.get(name);
          if (name.equals("covr")) {
            found.facts.put("hasCover", true);
          } else if (name.equals("trkn") && data.remaining() >= 4) {
            found.tag("track", Integer.toString(data.getShort(10)));
          } else if (tag != null) {
            byte[] text = new byte[Math.min(data.remaining(), 4096)];
            data.get(text);
            found.tag(tag, new String(text, StandardCharsets.UTF_8));
          }
        });
  }

  /** One track: what it is, and for the first video where its keyframes lie. */
  private final class Track {
    private String handler = "";
    private double seconds;
    private double scale;
    private int rotation;
    private String language = "";
    private @Nullable ByteBuffer descriptions;
    private @Nullable ByteBuffer durations;
    private @Nullable ByteBuffer keyframes;
    private @Nullable ByteBuffer chunkRuns;
    private @Nullable ByteBuffer sizes;
    private @Nullable ByteBuffer chunks;
    private boolean wideChunks;

    void read(ByteBuffer trak) throws IOException {
      open(trak);
      ByteBuffer entries = descriptions;
      if (entries == null || entries.remaining() < 16) {
        return;
      }
      if (handler.equals("vide") && !found.codecs.containsKey("video")) {
        video(entries);
      } else if (handler.equals("soun") && !found.codecs.containsKey("audio")) {
        audio(entries);
      } else if (handler.equals("sbtl") || handler.equals("subt")) {
        found.subtitles.add(
            Map.of(
                "codec",
                Mp4Codecs.subtitle(fourcc(entries.slice(12, 4))),
                "language",
                language,
                "title",
                ""));
      }
    }

    private void open(ByteBuffer in) throws IOException {
      each(
          in,
          (type, body) -> {
            switch (type) {
              case "mdia", "minf", "stbl" -> open(body);
              case "tkhd" -> rotation = rotation(body);
              case "mdhd" -> {
                seconds = duration(body);
                boolean wide = body.get(0) == 1;
                scale = body.getInt(wide ? 20 : 12) & 0xffffffffL;
                language = Mp4Codecs.language(body.getShort(wide ? 32 : 20));
              }
              case "hdlr" -> {
                if (handler.isEmpty()) {
                  handler = fourcc(body.slice(8, 4));
                }
              }
              case "stsd" -> descriptions = body;
              case "stts" -> durations = body;
              case "stss" -> keyframes = body;
              case "stsc" -> chunkRuns = body;
              case "stsz" -> sizes = body;
              case "stco" -> chunks = body;
              case "co64" -> {
                chunks = body;
                wideChunks = true;
              }
              default -> {}
            }
          });
    }

    /** From the matrix of tkhd, 16.16 fixed point: only quarter turns are known. */
    private static int rotation(ByteBuffer tkhd) {
      int matrix = tkhd.get(0) == 1 ? 52 : 40;
      int a = tkhd.getInt(matrix) >> 16;
      int b = tkhd.getInt(matrix + 4) >> 16;
      return a == 0 && b == 1 ? 90 : a == -1 ? 180 : a == 0 && b == -1 ? 270 : 0;
    }

    private void video(ByteBuffer entries) throws IOException {
      String type = fourcc(entries.slice(12, 4));
      int width = entries.getShort(8 + 8 + 24) & 0xffff;
      int height = entries.getShort(8 + 8 + 26) & 0xffff;
      found.codecs.put("video", Mp4Codecs.video(type));
      if (width > 0 && height > 0) {
        found.size(width, height, rotation);
      }
      found.facts.put("rotation", rotation);
      children(
          entries,
          8 + 8 + 78,
          (box, body) -> {
            switch (box) {
              case "avcC" -> Mp4Codecs.avc(body, found.codecs);
              case "hvcC" -> Mp4Codecs.hevc(body, found.codecs);
              default -> {}
            }
          });
      keyframes();
    }

    private void audio(ByteBuffer entries) throws IOException {
      found.codecs.put("audio", Mp4Codecs.audio(fourcc(entries.slice(12, 4))));
      found.codecs.put("audioChannels", (int) entries.getShort(8 + 8 + 8 + 8));
      found.codecs.put("audioSampleRate", entries.getShort(8 + 8 + 8 + 16) & 0xffff);
      // QuickTime's second version of the entry is longer
      int more = entries.getShort(8 + 8 + 8) == 1 ? 16 : 0;
      children(
          entries,
          8 + 8 + 28 + more,
          (box, body) -> {
            if (box.equals("esds")) {
              Mp4Codecs.elementary(body, found.codecs);
            } else if (box.equals("wave")) {
              each(
                  body,
                  (inner, esds) -> {
                    if (inner.equals("esds")) {
                      Mp4Codecs.elementary(esds, found.codecs);
                    }
                  });
            }
          });
    }

    private void children(ByteBuffer entries, int at, Box box) throws IOException {
      if (entries.limit() > at) {
        each(entries.slice(at, entries.limit() - at), box);
      }
    }

    private void keyframes() throws IOException {
      ByteBuffer size = sizes;
      ByteBuffer time = durations;
      ByteBuffer run = chunkRuns;
      ByteBuffer chunk = chunks;
      ByteBuffer key = keyframes;
      if (size == null || time == null || run == null || chunk == null || scale == 0) {
        return;
      }
      int count = size.getInt(8);
      if (count <= 0 || count > MOST_SAMPLES) {
        return;
      }
      if (seconds > 0) {
        found.codecs.put("frameRate", Math.round(1000 * count / seconds) / 1000.0);
      }
      if (key == null) {
        return;
      }
      int keys = key.getInt(4);
      if (keys <= 0 || keys > count) {
        return;
      }
      long[] positions = new long[keys];
      double[] times = new double[keys];
      int fixed = size.getInt(4);
      int nextKey = 0;
      int sample = 0;
      int timeEntry = 0;
      int timeLeft = time.getInt(8);
      long clock = 0;
      int runs = run.getInt(4);
      int runEntry = 0;
      int allChunks = chunk.getInt(4);
      for (int c = 0; c < allChunks && nextKey < keys; c++) {
        while (runEntry + 1 < runs && run.getInt(8 + 12 * (runEntry + 1)) <= c + 1) {
          runEntry++;
        }
        int inChunk = run.getInt(8 + 12 * runEntry + 4);
        long offset = wideChunks ? chunk.getLong(8 + 8 * c) : chunk.getInt(8 + 4 * c) & 0xffffffffL;
        for (int s = 0; s < inChunk && sample < count && nextKey < keys; s++, sample++) {
          if (key.getInt(8 + 4 * nextKey) == sample + 1) {
            positions[nextKey] = offset;
            times[nextKey++] = clock / scale;
          }
          offset += fixed != 0 ? fixed : size.getInt(12 + 4 * sample) & 0xffffffffL;
          while (timeLeft <= 0 && 8 + 8 * (timeEntry + 1) < time.limit()) {
            timeEntry++;
            timeLeft = time.getInt(8 + 8 * timeEntry);
          }
          clock += time.getInt(8 + 8 * timeEntry + 4) & 0xffffffffL;
          timeLeft--;
        }
      }
      found.positions = java.util.Arrays.copyOf(positions, nextKey);
      found.times = java.util.Arrays.copyOf(times, nextKey);
    }
  }
}
