package app.mantel.analytics.popularity;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.settings.DayBorders;
import app.mantel.analytics.web.ReportRange;
import app.mantel.analytics.webhook.Hooks;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** Tells the appliance the week's counts, the whole list, whenever they are others. */
@Component
public class PopularityDelivery {
  private static final Logger log = LoggerFactory.getLogger(PopularityDelivery.class);
  private static final String HOOK = "popularity";
  private static final int MOST = 5_000;

  private final Database database;
  private final PopularFiles popular;
  private final Hooks hooks;
  private final Clock clock;
  private final DayBorders borders;
  private volatile List<Map<String, Object>> told = List.of();

  PopularityDelivery(
      Database database, PopularFiles popular, Hooks hooks, Clock clock, DayBorders borders) {
    this.database = database;
    this.popular = popular;
    this.hooks = hooks;
    this.clock = clock;
    this.borders = borders;
  }

  /** Tells them at the next turn even if they are the same: the appliance may have lost them. */
  public void again() {
    told = List.of();
  }

  @Scheduled(fixedDelay = 15_000, initialDelay = 8_000)
  void run() {
    try {
      if (!hooks.isWaiting(HOOK)) {
        List<Map<String, Object>> counts =
            popular.find(ReportRange.parse("7d", clock, borders.zone()), MOST).stream()
                .map(
                    item ->
                        Map.<String, Object>of(
                            "fileId",
                            item.fileId(),
                            "plays",
                            Math.max(item.plays(), item.streams() + item.downloads())))
                .toList();
        if (counts.equals(told)) {
          return;
        }
        database.write(
            store -> {
              hooks.put(store, HOOK, Map.of("counts", counts));
              return true;
            });
        told = counts;
      }
      hooks.send(HOOK);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException fault) {
      log.error("counts wait for the next try", fault);
    }
  }
}
