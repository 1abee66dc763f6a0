package app.mantel.analytics.ingest;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * One checked event of the feed. Times are epoch milliseconds, positions seconds of the medium.
 *
 * @param beganAt start of a span; the time of anything else
 * @param endedAt end of a span; the time of anything else
 * @param payload what only some types carry, by type; null where the type carries nothing that
 *     counts
 */
public record Event(
    String eventId,
    int version,
    long seq,
    EventType type,
    long at,
    long beganAt,
    long endedAt,
    @Nullable String userId,
    @Nullable String device,
    @Nullable String fileId,
    @Nullable Payload payload) {

  /** What a type carries beyond who, what and when. */
  public sealed interface Payload permits Bytes, Position, Query, FileState, UserState {}

  /** A span or a download: which bytes were sent, counted from {@code firstByte}. */
  public record Bytes(String source, long firstByte, long bytes, long sizeBytes)
      implements Payload {}

  /** A ping of the page's player, or of a cast. */
  public record Position(String state, double seconds, double rate) implements Payload {}

  /** A search; {@code text} is lower case with single blanks. */
  public record Query(String text, long results) implements Payload {}

  /**
   * A file as the appliance's index has it. {@code pathBase64} is set where the path is no UTF-8.
   */
  public record FileState(
      String root,
      String path,
      @Nullable String pathBase64,
      String name,
      String folder,
      String kind,
      String mimeType,
      long sizeBytes,
      long mtimeNs,
      long createdAt,
      @Nullable String uploadedBy)
      implements Payload {}

  /** {@code privacy}: full, anonymous or off. Names and roles are not kept here. */
  public record UserState(String privacy) implements Payload {}

  private static final Pattern ID =
      Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
  private static final Set<String> STATES =
      Set.of("playing", "paused", "seeked", "ended", "hidden");
  private static final Set<String> CAST_STATES =
      Set.of("playing", "paused", "seeked", "ended", "stopped", "buffering");
  private static final Set<String> PRIVACY = Set.of("full", "anonymous", "off");
  private static final Set<String> KINDS = Set.of("video", "audio", "image", "document", "other");

  /** A clock that ran wild must not mark years as dirty. */
  private static final long LONGEST_SPAN_MS = 2 * 86_400_000L;

  private static final int LONGEST_ID = 64;
  private static final int LONGEST_PATH = 4096;
  private static final int LONGEST_QUERY = 200;

  /**
   * Reads one event of a batch.
   *
   * @throws BadEvent naming the first field that will not do
   */
  static Event parse(JsonNode json) throws BadEvent {
    if (!json.isObject()) {
      throw new BadEvent("event", "an object");
    }
    Fields fields = new Fields(json, "");
    long seq = fields.count("seq");
    String eventId = fields.text("eventId", LONGEST_ID);
    if (!ID.matcher(eventId).matches()) {
      throw new BadEvent("eventId", "a UUID");
    }
    long version = fields.count("version");
    if (version < 1 || version > Integer.MAX_VALUE) {
      throw new BadEvent("version", "a whole number, 1 or more,");
    }
    EventType type = EventType.of(fields.text("type", LONGEST_ID));
    if (type == null) {
      throw new BadEvent("type", "one of the types of the feed");
    }
    long at = fields.time("at");
    String userId =
        type.needsUser()
            ? fields.text("userId", LONGEST_ID)
            : fields.optionalText("userId", LONGEST_ID);
    String fileId =
        type.needsFile()
            ? fields.text("fileId", LONGEST_ID)
            : fields.optionalText("fileId", LONGEST_ID);
    String device = fields.optionalText("device", LONGEST_ID);
    JsonNode inner = json.get("payload");
    if (inner == null || !inner.isObject()) {
      throw new BadEvent("payload", "an object");
    }
    Fields payload = new Fields(inner, "payload.");
    long beganAt = type == EventType.SPAN ? payload.time("startedAt") : at;
    long endedAt = type == EventType.SPAN ? payload.time("endedAt") : at;
    if (endedAt < beganAt) {
      throw new BadEvent("payload.endedAt", "a time not before startedAt");
    }
    endedAt = Math.min(endedAt, beganAt + LONGEST_SPAN_MS);
    return new Event(
        eventId,
        (int) version,
        seq,
        type,
        at,
        beganAt,
        endedAt,
        userId,
        device,
        fileId,
        payload(type, payload));
  }

  private static @Nullable Payload payload(EventType type, Fields fields) throws BadEvent {
    return switch (type) {
      case SPAN ->
          new Bytes(
              fields.text("source", 16),
              fields.count("firstByte"),
              fields.count("bytes"),
              fields.count("sizeBytes"));
      case DOWNLOAD -> new Bytes("download", 0, fields.count("bytes"), fields.count("sizeBytes"));
      case PING ->
          new Position(
              fields.oneOf("state", STATES), fields.seconds("position"), fields.rate("rate"));
      case CAST_POSITION ->
          new Position(
              fields.oneOf("state", CAST_STATES), fields.seconds("position"), fields.rate("rate"));
      case SEARCH -> new Query(query(fields.text("query", 1000)), fields.count("results"));
      case FILE_ADDED, FILE_CHANGED ->
          new FileState(
              fields.text("root", LONGEST_PATH),
              fields.text("path", LONGEST_PATH),
              fields.optionalText("pathBase64", 2 * LONGEST_PATH),
              fields.text("name", LONGEST_PATH),
              folder(fields),
              fields.oneOf("type", KINDS),
              fields.text("mimeType", 255),
              fields.count("sizeBytes"),
              fields.nanoseconds("mtimeNs"),
              fields.time("createdAt"),
              fields.optionalText("uploadedBy", LONGEST_ID));
      case USER_CHANGED -> new UserState(fields.oneOf("privacy", PRIVACY));
      default -> null;
    };
  }

  private static String folder(Fields fields) throws BadEvent {
    String folder = fields.optionalText("folder", LONGEST_PATH);
    return folder == null ? "" : folder;
  }

  static String query(String text) {
    String plain = text.strip().toLowerCase(Locale.ROOT).replaceAll("\\s+", " ");
    return plain.length() > LONGEST_QUERY ? plain.substring(0, LONGEST_QUERY) : plain;
  }
}
