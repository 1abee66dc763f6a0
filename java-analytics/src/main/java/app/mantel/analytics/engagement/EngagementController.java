package app.mantel.analytics.engagement;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.privacy.Viewers;
import app.mantel.analytics.settings.DayBorders;
import app.mantel.analytics.web.ReportRange;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Clock;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Who comes, how long, on which days. */
@RestController
class EngagementController {
  private final Database database;
  private final DayBorders borders;
  private final Clock clock;

  EngagementController(Database database, DayBorders borders, Clock clock) {
    this.database = database;
    this.borders = borders;
    this.clock = clock;
  }

  /** The report. */
  record Engagement(
      String range,
      @Schema(
              description =
                  """
                  People with a visit in the range. Anonymous people are told apart within a day \
                  only: of them counts the day that had the most.""")
          long activeUsers,
      long visits,
      @Schema(description = "How long the middle visit lasted.") double medianVisitSeconds,
      @Schema(description = "Watch time of all viewers, devices too; with userId of that person.")
          long watchSeconds,
      @Schema(description = "Every day of the range, from the first to today.") List<Day> perDay) {}

  @Schema(name = "DayOfEngagement")
  record Day(
      String day,
      @Schema(description = "People with a visit that began on this day.") long activeUsers,
      long watchSeconds) {}

  private record Visit(String person, String day, long seconds) {}

  @Operation(
      summary = "Who comes, how long, on which days",
      description = "Of the whole household, or of the person userId.")
  @GetMapping("/api/analytics/users/engagement")
  Engagement engagement(
      @RequestParam(defaultValue = "30d") String range,
      @RequestParam(required = false) @Nullable String userId) {
    ReportRange wanted = ReportRange.parse(range, clock, borders.zone());
    List<Visit> visits = visits(wanted, userId);
    Map<String, Long> watched = watchedByDay(wanted, userId);
    Viewers people = new Viewers();
    Map<String, Set<String>> perDay = new HashMap<>();
    for (Visit visit : visits) {
      people.add(visit.person(), visit.day());
      perDay.computeIfAbsent(visit.day(), day -> new HashSet<>()).add(visit.person());
    }
    List<Day> days =
        wanted
            .firstDay()
            .datesUntil(borders.day(clock.millis()).plusDays(1))
            .map(
                day ->
                    new Day(
                        day.toString(),
                        perDay.getOrDefault(day.toString(), Set.of()).size(),
                        watched.getOrDefault(day.toString(), 0L)))
            .toList();
    return new Engagement(
        range,
        people.likely(),
        visits.size(),
        median(visits.stream().mapToLong(Visit::seconds).sorted().toArray()),
        watched.values().stream().mapToLong(Long::longValue).sum(),
        days);
  }

  static double median(long[] sorted) {
    int middle = sorted.length / 2;
    if (sorted.length == 0) {
      return 0;
    }
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2.0;
  }

  private List<Visit> visits(ReportRange range, @Nullable String userId) {
    return database
        .read()
        .sql(
            "select person, start_day, ended_at - started_at from visit"
                + " where start_day >= :day and started_at >= :since"
                + (userId == null ? "" : " and person = :user"))
        .param("day", range.firstDay().toString())
        .param("since", range.since())
        .param("user", userId)
        .query((row, n) -> new Visit(row.getString(1), row.getString(2), row.getLong(3) / 1000))
        .list();
  }

  private Map<String, Long> watchedByDay(ReportRange range, @Nullable String userId) {
    Map<String, Long> found = new HashMap<>();
    database
        .read()
        .sql(
            "select start_day, sum(watch_seconds) from playback_session"
                + " where start_day >= :day and started_at >= :since"
                + (userId == null ? "" : " and person = :user")
                + " group by start_day")
        .param("day", range.firstDay().toString())
        .param("since", range.since())
        .param("user", userId)
        .query(
            row -> {
              found.put(row.getString(1), row.getLong(2));
            });
    return found;
  }
}
