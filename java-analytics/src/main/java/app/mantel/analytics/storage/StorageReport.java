package app.mantel.analytics.storage;

import io.swagger.v3.oas.annotations.media.Schema;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the library weighs. */
record StorageReport(
    long totalBytes,
    long files,
    @Schema(description = "By video, audio, image, document, other; only what there is.")
        Map<String, OfType> byType,
    @Schema(
            description =
                "Bytes at the end of each day, from the first file on, the last 90 days at most.")
        List<Day> perDay,
    @Schema(
            description =
                """
                The median of the slopes between any two days of perDay (Theil-Sen), where a \
                step of more than ten times the median of all others counts as that median: the \
                day of a move is no growth. Null below 7 days.""",
            types = {"integer", "null"})
        @Nullable Long growthBytesPerDay,
    @Schema(
            description =
                """
                Free bytes of the disks that hold the library, divided by the growth, rounded \
                down; null where it does not grow or a disk does not answer.""",
            types = {"integer", "null"})
        @Nullable Long daysToFull,
    @Schema(description = "Groups of files with equal checksums and sizes.") Duplicates duplicates,
    @Schema(
            description =
                """
                Of files that are known for more than 180 days and were neither streamed, played, \
                downloaded nor looked at in the last 180 days.""")
        long coldBytes) {

  record OfType(long files, long bytes) {}

  @Schema(name = "DayOfStorage")
  record Day(String day, long totalBytes) {}

  record Duplicates(
      @Schema(description = "What all but one of each group cost.") long bytes, long groups) {}
}
