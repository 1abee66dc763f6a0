package app.mantel.analytics.settings;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.stream.Stream;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;

/** Where the household's days begin. Times are epoch milliseconds. */
@Component
public final class DayBorders {
  private final ZoneId zone;

  @Autowired
  public DayBorders(Settings settings) {
    this(settings.timezone());
  }

  DayBorders(ZoneId zone) {
    this.zone = zone;
  }

  public static DayBorders of(ZoneId zone) {
    return new DayBorders(zone);
  }

  public ZoneId zone() {
    return zone;
  }

  public LocalDate day(long at) {
    return Instant.ofEpochMilli(at).atZone(zone).toLocalDate();
  }

  /** First millisecond of {@code day}. */
  public long start(LocalDate day) {
    return day.atStartOfDay(zone).toInstant().toEpochMilli();
  }

  /** First millisecond behind {@code day}. */
  public long end(LocalDate day) {
    return start(day.plusDays(1));
  }

  /** All days that {@code from} to {@code to} touches. */
  public Stream<LocalDate> days(long from, long to) {
    return day(from).datesUntil(day(Math.max(from, to)).plusDays(1));
  }
}
