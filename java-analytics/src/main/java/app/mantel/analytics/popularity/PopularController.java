package app.mantel.analytics.popularity;

import app.mantel.analytics.settings.DayBorders;
import app.mantel.analytics.web.BadParameter;
import app.mantel.analytics.web.ReportRange;
import io.swagger.v3.oas.annotations.Operation;
import java.time.Clock;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** What is watched most. */
@RestController
class PopularController {
  private static final int MOST = 500;

  private final PopularFiles popular;
  private final Clock clock;
  private final DayBorders borders;

  PopularController(PopularFiles popular, Clock clock, DayBorders borders) {
    this.popular = popular;
    this.clock = clock;
    this.borders = borders;
  }

  @Operation(
      summary = "What is watched most",
      description =
          """
          Files that are still there and were streamed, downloaded or played in the range. The \
          order is streams + downloads, then watch time, then file id.""")
  @GetMapping("/api/analytics/popular")
  PopularReport popular(
      @RequestParam(defaultValue = "7d") String range,
      @RequestParam(defaultValue = "20") int limit) {
    if (limit < 1 || limit > MOST) {
      throw new BadParameter("limit", "a whole number from 1 to " + MOST + " is allowed");
    }
    ReportRange wanted = ReportRange.parse(range, clock, borders.zone());
    return new PopularReport(range, popular.find(wanted, limit));
  }
}
