package app.mantel.analytics.storage;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the library weighs.
 *
 * @param perDay total at the end of each day, the last 90 days at most
 * @param growthBytesPerDay robust slope over {@code perDay}; null below 7 days
 * @param daysToFull free space by growth; null where it does not grow or that is unknown
 * @param coldBytes of files that are older than 180 days and were not used in as many
 */
record StorageReport(
    long totalBytes,
    long files,
    Map<String, OfType> byType,
    List<Day> perDay,
    @Nullable Long growthBytesPerDay,
    @Nullable Long daysToFull,
    Duplicates duplicates,
    long coldBytes) {

  record OfType(long files, long bytes) {}

  record Day(String day, long totalBytes) {}

  /** Files of equal checksum: {@code bytes} is what all but one of each group cost. */
  record Duplicates(long bytes, long groups) {}
}
