package app.mantel.analytics.ingest;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Reads the fields of one JSON object, strictly; {@code prefix} stands before a field's name in a
 * reason.
 */
record Fields(JsonNode object, String prefix) {
  /** Years 2000 to 2200 as epoch milliseconds: a clock that is further off is no clock. */
  private static final long EARLIEST = 946_684_800_000L;

  private static final long LATEST = 7_258_118_400_000L;

  /** Largest whole number that survives in every JSON reader: 2^53. */
  private static final long LARGEST = 1L << 53;

  String text(String name, int longest) throws BadEvent {
    String value = optionalText(name, longest);
    if (value == null || value.isEmpty()) {
      throw new BadEvent(prefix + name, "a text");
    }
    return value;
  }

  @Nullable String optionalText(String name, int longest) throws BadEvent {
    JsonNode node = object.get(name);
    if (node == null || node.isNull()) {
      return null;
    }
    if (!node.isString()
        || node.stringValue().length() > longest
        || node.stringValue().indexOf('\0') >= 0) {
      throw new BadEvent(prefix + name, "a text of at most " + longest + " characters");
    }
    return node.stringValue();
  }

  String oneOf(String name, Set<String> allowed) throws BadEvent {
    String value = optionalText(name, 64);
    if (value == null || !allowed.contains(value)) {
      throw new BadEvent(
          prefix + name, "one of " + String.join(", ", allowed.stream().sorted().toList()));
    }
    return value;
  }

  long count(String name) throws BadEvent {
    JsonNode node = object.get(name);
    if (node == null
        || !node.isIntegralNumber()
        || !node.canConvertToLong()
        || node.longValue() < 0
        || node.longValue() > LARGEST) {
      throw new BadEvent(prefix + name, "a whole number, 0 or more,");
    }
    return node.longValue();
  }

  double seconds(String name) throws BadEvent {
    JsonNode node = object.get(name);
    if (node == null
        || !node.isNumber()
        || !(node.doubleValue() >= 0)
        || node.doubleValue() > 1e9) {
      throw new BadEvent(prefix + name, "a number of seconds, 0 or more,");
    }
    return node.doubleValue();
  }

  double rate(String name) throws BadEvent {
    JsonNode node = object.get(name);
    if (node == null || node.isNull()) {
      return 1;
    }
    if (!node.isNumber() || !(node.doubleValue() >= 0) || node.doubleValue() > 16) {
      throw new BadEvent(prefix + name, "a speed from 0 to 16");
    }
    return node.doubleValue();
  }

  /** Epoch milliseconds. */
  long time(String name) throws BadEvent {
    JsonNode node = object.get(name);
    try {
      if (node != null && node.isString()) {
        long at = Instant.parse(node.stringValue()).toEpochMilli();
        if (at >= EARLIEST && at <= LATEST) {
          return at;
        }
      }
    } catch (DateTimeException | ArithmeticException unreadable) {
      throw new BadEvent(prefix + name, "a time such as 2026-11-22T18:04:01.123Z");
    }
    throw new BadEvent(prefix + name, "a time such as 2026-11-22T18:04:01.123Z");
  }

  /** Nanoseconds since the epoch, written as a string since JSON numbers lose digits. */
  long nanoseconds(String name) throws BadEvent {
    String text = text(name, 20);
    if (!text.matches("-?\\d{1,18}|-?[1-8]\\d{18}")) {
      throw new BadEvent(prefix + name, "nanoseconds since the epoch as a string");
    }
    return Long.parseLong(text);
  }
}
