package app.mantel.analytics.web;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The time that a report speaks of, written like {@code 24h}, {@code 7d} or {@code 4w}; 400 days at
 * most.
 *
 * <p>Days and weeks are the household's calendar days, today included: {@code 1d} is today. Hours
 * count back from now, over what began in them.
 *
 * @param text as it was written
 * @param firstDay the first day that counts
 * @param since epoch milliseconds of the first moment that counts
 * @param hours whether the range cuts through a day
 */
public record ReportRange(String text, LocalDate firstDay, long since, boolean hours) {
  private static final Pattern WRITTEN = Pattern.compile("([1-9]\\d{0,2})([hdw])");
  private static final int LONGEST_DAYS = 400;

  /**
   * Reads {@code text}.
   *
   * @throws BadParameter if it is written otherwise, or longer than 400 days
   */
  public static ReportRange parse(String text, Clock clock, ZoneId zone) {
    Matcher written = WRITTEN.matcher(text);
    if (!written.matches()) {
      throw new BadParameter("range", "a number and h, d or w, such as 24h, 7d or 4w, is allowed");
    }
    int count = Integer.parseInt(written.group(1));
    Instant now = clock.instant();
    if (written.group(2).equals("h")) {
      Instant since = now.minus(Duration.ofHours(count));
      return new ReportRange(text, since.atZone(zone).toLocalDate(), since.toEpochMilli(), true);
    }
    int days = written.group(2).equals("w") ? count * 7 : count;
    if (days > LONGEST_DAYS) {
      throw new BadParameter("range", "400 days at most are allowed");
    }
    LocalDate first = now.atZone(zone).toLocalDate().minusDays(days - 1L);
    return new ReportRange(text, first, first.atStartOfDay(zone).toInstant().toEpochMilli(), false);
  }
}
