package app.mantel.analytics.systemd;

import app.mantel.analytics.db.Database;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;

/**
 * sd_notify(3): ready, stopping, and twice as often as asked that the store still answers. Java has
 * no datagram sockets of the Unix kind, so {@code systemd-notify} says it (8 ms each; the unit has
 * {@code NotifyAccess=all}). Silent where nobody listens.
 */
@Component
class Notify {
  private static final Logger log = LoggerFactory.getLogger(Notify.class);
  private static final long WITHIN_SECONDS = 10;

  private final Database database;
  private final Map<String, String> environment = System.getenv();

  Notify(Database database) {
    this.database = database;
  }

  @EventListener(ApplicationReadyEvent.class)
  void ready() {
    tell("READY=1");
    String micros = environment.getOrDefault("WATCHDOG_USEC", "");
    if (micros.matches("[1-9]\\d{0,14}")) {
      // a thread of its own: a long job of the night is no reason to be killed
      Thread thread = new Thread(() -> pat(Long.parseLong(micros) / 2_000), "watchdog");
      thread.setDaemon(true);
      thread.start();
    }
  }

  @EventListener(ContextClosedEvent.class)
  void stopping() {
    tell("STOPPING=1");
  }

  private void pat(long everyMs) {
    try {
      while (true) {
        Thread.sleep(everyMs);
        if (answers()) {
          tell("WATCHDOG=1");
        }
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean answers() {
    try {
      return database.read().sql("select 1").query(Integer.class).single() == 1;
    } catch (DataAccessException fault) {
      log.error("the store does not answer", fault);
      return false;
    }
  }

  private void tell(String state) {
    if (environment.getOrDefault("NOTIFY_SOCKET", "").isEmpty()) {
      return;
    }
    try {
      Process telling =
          new ProcessBuilder("systemd-notify", state)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (!telling.waitFor(WITHIN_SECONDS, TimeUnit.SECONDS)) {
        telling.destroyForcibly();
      }
    } catch (IOException missing) {
      log.warn("systemd cannot be told {}: {}", state, missing.getMessage());
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }
}
