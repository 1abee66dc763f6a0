package app.mantel.analytics.system;

import app.mantel.analytics.Golden;
import app.mantel.analytics.MantelAnalytics;
import app.mantel.analytics.db.Store;
import app.mantel.analytics.settings.Settings;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Clock;
import java.time.Duration;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;

/** The whole daemon on a free port, talked to over HTTP. */
public final class Daemon implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final HttpClient http = HttpClient.newHttpClient();
  private final ConfigurableApplicationContext context;
  private final String base;

  public Daemon(Settings settings) {
    this(settings, Clock.systemUTC());
  }

  /** {@code clock} says what time it is in the reports. */
  public Daemon(Settings settings, Clock clock) {
    context = MantelAnalytics.start(settings, clock);
    base = "http://127.0.0.1:" + context.getEnvironment().getProperty("local.server.port");
  }

  public <T> T bean(Class<T> type) {
    return context.getBean(type);
  }

  public JsonNode get(String path) throws IOException, InterruptedException {
    HttpResponse<String> answer = send(request(path).GET());
    if (answer.statusCode() != 200) {
      throw new AssertionError(path + " answered " + answer.statusCode() + " " + answer.body());
    }
    return Golden.JSON.readTree(answer.body());
  }

  public HttpResponse<String> post(String path, String body)
      throws IOException, InterruptedException {
    return send(
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body)));
  }

  public HttpRequest.Builder request(String path) {
    return plain(path).header("Authorization", "Bearer " + Store.TOKEN);
  }

  public HttpRequest.Builder plain(String path) {
    return HttpRequest.newBuilder(URI.create(base + path)).timeout(PATIENCE);
  }

  public HttpResponse<String> send(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  @Override
  public void close() {
    context.close();
  }
}
