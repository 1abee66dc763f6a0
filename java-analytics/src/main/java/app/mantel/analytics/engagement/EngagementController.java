package app.mantel.analytics.engagement;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.privacy.Viewers;
import app.mantel.analytics.settings.DayBorders;
import app.mantel.analytics.web.ReportRange;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Clock;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
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

  @Operation(
      summary = "Who comes, how long, on which days",
      description = "Of the whole household, or of the person userId.")
  @GetMapping("/api/analytics/users/engagement")
  Engagement engagement(
      @RequestParam(defaultValue = "30d") String range,
      @RequestParam(required = false) @Nullable String userId) {
    ReportRange wanted = ReportRange.parse(range, clock, borders.zone());
    Map<String, Long> watched = watchedByDay(wanted, userId);
    Viewers people = new Viewers();
    Map<String, Integer> perDay = new HashMap<>();
    long[] visits = new long[1];
    visits("select start_day, person, count(*)", wanted, userId, " group by start_day, person")
        .query(
            row -> {
              people.add(row.getString(2), row.getString(1));
              perDay.merge(row.getString(1), 1, Integer::sum);
              visits[0] += row.getLong(3);
            });
    List<Day> days =
        wanted
            .firstDay()
            .datesUntil(borders.day(clock.millis()).plusDays(1))
            .map(LocalDate::toString)
            .map(day -> new Day(day, perDay.getOrDefault(day, 0), watched.getOrDefault(day, 0L)))
            .toList();
    return new Engagement(
        range,
        people.likely(),
        visits[0],
        median(visits[0], wanted, userId),
        watched.values().stream().mapToLong(Long::longValue).sum(),
        days);
  }

  private double median(long visits, ReportRange range, @Nullable String userId) {
    return visits(
            "select (ended_at - started_at) / 1000",
            range,
            userId,
            " order by ended_at - started_at limit "
                + (2 - visits % 2)
                + " offset "
                + Math.max(0, visits - 1) / 2)
        .query(Long.class)
        .list()
        .stream()
        .mapToLong(Long::longValue)
        .average()
        .orElse(0);
  }

  private JdbcClient.StatementSpec visits(
      String what, ReportRange range, @Nullable String userId, String then) {
    return database
        .read()
        .sql(
            what
                + " from visit where start_day >= :day and started_at >= :since"
                + (userId == null ? "" : " and person = :user")
                + then)
        .param("day", range.firstDay().toString())
        .param("since", range.since())
        .param("user", userId);
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
