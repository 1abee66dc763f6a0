package app.mantel.analytics;

import app.mantel.analytics.phone.PhoneSettings;
import app.mantel.analytics.settings.BadSetting;
import app.mantel.analytics.settings.Settings;
import java.time.Clock;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.support.GenericApplicationContext;

/** The daemon: reads its settings, opens its store, listens on 127.0.0.1. */
@SpringBootApplication(proxyBeanMethods = false)
public class MantelAnalytics {

  /**
   * Exit code of a start that a setting stopped: a restart would not help (sysexits.h EX_CONFIG).
   */
  private static final int BAD_SETTING = 78;

  public static void main(String[] args) {
    try {
      PhoneSettings.read(System.getenv());
      start(Settings.read(System.getenv()), Clock.systemUTC());
    } catch (BadSetting bad) {
      System.err.println(bad.getMessage());
      System.exit(BAD_SETTING);
    }
  }

  /** Starts with {@code settings}; port 0 takes a free one. The caller closes what it gets. */
  public static ConfigurableApplicationContext start(Settings settings, Clock clock) {
    SpringApplication application = new SpringApplication(MantelAnalytics.class);
    application.setDefaultProperties(
        Map.of("server.address", "127.0.0.1", "server.port", Integer.toString(settings.port())));
    application.addInitializers(
        context -> {
          GenericApplicationContext beans = (GenericApplicationContext) context;
          beans.registerBean(Settings.class, () -> settings);
          beans.registerBean(Clock.class, () -> clock);
          beans.registerBean(PhoneSettings.class, () -> PhoneSettings.read(System.getenv()));
        });
    return application.run();
  }
}
