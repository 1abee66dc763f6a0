package app.mantel.analytics.library;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.webhook.Hooks;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Tells the appliance what was read: 500 files at most in one message, the next after the answer.
 */
@Component
class FactDelivery {
  private static final Logger log = LoggerFactory.getLogger(FactDelivery.class);
  private static final String HOOK = "file-analyzed";
  private static final int MOST = 500;

  private final Database database;
  private final FactStore facts;
  private final Hooks hooks;

  FactDelivery(Database database, FactStore facts, Hooks hooks) {
    this.database = database;
    this.facts = facts;
    this.hooks = hooks;
  }

  @Scheduled(fixedDelay = 500)
  void run() {
    try {
      while (hooks.isWaiting(HOOK) || pack()) {
        hooks.send(HOOK);
        if (hooks.isWaiting(HOOK)) {
          return;
        }
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException fault) {
      log.error("facts wait for the next try", fault);
    }
  }

  private boolean pack() {
    return database
            .read()
            .sql("select 1 from file_facts where pending = 1 limit 1")
            .query(Integer.class)
            .optional()
            .isPresent()
        && database.write(
            store -> {
              List<Map<String, Object>> found = facts.takePending(store, MOST);
              if (!found.isEmpty()) {
                hooks.put(store, HOOK, Map.of("facts", found));
              }
              return !found.isEmpty();
            });
  }
}
