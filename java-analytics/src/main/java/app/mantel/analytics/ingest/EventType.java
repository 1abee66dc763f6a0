package app.mantel.analytics.ingest;

import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What happened. On the feed the names are in lower case. */
public enum EventType {
  SPAN,
  PING,
  CAST_POSITION,
  DOWNLOAD,
  UPLOAD,
  VIEW,
  DELETE,
  SIGN_IN,
  SEARCH,
  FILE_ADDED,
  FILE_CHANGED,
  FILE_REMOVED,
  USER_CHANGED,
  USER_DELETED;

  private static final Map<String, EventType> BY_NAME =
      Stream.of(values()).collect(Collectors.toMap(EventType::feedName, type -> type));

  public String feedName() {
    return name().toLowerCase(Locale.ROOT);
  }

  static @Nullable EventType of(String feedName) {
    return BY_NAME.get(feedName);
  }

  boolean needsFile() {
    return switch (this) {
      case SPAN, PING, CAST_POSITION, DOWNLOAD, VIEW, FILE_ADDED, FILE_CHANGED, FILE_REMOVED ->
          true;
      default -> false;
    };
  }

  boolean needsUser() {
    return this == USER_CHANGED || this == USER_DELETED;
  }
}
