package app.mantel.analytics.schedule;

import app.mantel.analytics.playback.Rollup;
import app.mantel.analytics.storage.StorageDays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Keeps the reports fresh: an event shows within seconds, as the rollups of its day are made anew.
 */
@Component
@EnableScheduling
class FreshRollups {
  private static final Logger log = LoggerFactory.getLogger(FreshRollups.class);
  private static final long EVERY_MS = 5_000;

  private final Rollup rollup;
  private final StorageDays storage;

  FreshRollups(Rollup rollup, StorageDays storage) {
    this.rollup = rollup;
    this.storage = storage;
  }

  @Scheduled(fixedDelay = EVERY_MS, initialDelay = 500)
  void run() {
    try {
      rollup.run();
      storage.run();
    } catch (RuntimeException fault) {
      log.error("rollups wait for the next try", fault);
    }
  }
}
