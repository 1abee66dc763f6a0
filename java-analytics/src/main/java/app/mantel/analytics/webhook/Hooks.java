package app.mantel.analytics.webhook;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.settings.Settings;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/**
 * What the appliance is told: put into a table with what it tells of, sent in order, gone when
 * answered. A repeat carries the same deliveryId. What is refused for its content is set aside.
 */
@Component
public class Hooks {
  private static final Logger log = LoggerFactory.getLogger(Hooks.class);
  private static final Duration REPLY = Duration.ofSeconds(20);
  private static final long SHORTEST_MS = 1_000;

  /** So soon does an appliance that was away hear what waits for it. */
  private static final long LONGEST_MS = 30_000;

  private final Database database;
  private final JsonMapper json;
  private final Clock clock;
  private final String base;
  private final String authorization;
  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(2))
          .build();

  Hooks(Database database, JsonMapper json, Clock clock, Settings settings) {
    this.database = database;
    this.json = json;
    this.clock = clock;
    base = "http://127.0.0.1:" + settings.internalPort() + "/internal/hooks/";
    authorization = "Bearer " + settings.toAppliance().reveal();
  }

  private record Delivery(String id, String body, int attempts) {}

  /** Puts a message into the table, in the caller's transaction. */
  public void put(Database.Writing store, String hook, Map<String, Object> message) {
    String id = UUID.randomUUID().toString();
    Map<String, Object> all = new java.util.LinkedHashMap<>();
    all.put("deliveryId", id);
    all.putAll(message);
    store
        .sql()
        .sql(
            "insert into webhook_delivery (delivery_id, hook, body, attempts, not_before, created_at)"
                + " values (?, ?, ?, 0, 0, ?)")
        .params(id, hook, json.writeValueAsString(all), clock.millis())
        .update();
  }

  public boolean isWaiting(String hook) {
    return next(hook).isPresent();
  }

  private Optional<Delivery> next(String hook) {
    return database
        .read()
        .sql(
            "select delivery_id, body, attempts, not_before from webhook_delivery where hook = ? and refused is"
                + " null order by created_at, delivery_id limit 1")
        .param(hook)
        .query(
            (row, n) ->
                new Delivery(
                    row.getString(1),
                    row.getLong(4) <= clock.millis() ? row.getString(2) : "",
                    row.getInt(3)))
        .optional();
  }

  /** Sends what waits for {@code hook}, oldest first, until one is not taken. */
  public void send(String hook) throws InterruptedException {
    for (Optional<Delivery> next = next(hook); next.isPresent(); next = next(hook)) {
      Delivery delivery = next.get();
      if (delivery.body().isEmpty() || !sent(hook, delivery)) {
        return;
      }
    }
  }

  private boolean sent(String hook, Delivery delivery) throws InterruptedException {
    int status;
    try {
      status = post(hook, delivery.body());
    } catch (IOException away) {
      status = 0;
    }
    if (status / 100 == 2) {
      update("delete from webhook_delivery where delivery_id = ?", delivery.id());
      return true;
    }
    if (status == 400 || status == 404 || status == 413 || status == 422) {
      log.warn("the appliance refused {} with {}; set aside", hook, status);
      update(
          "update webhook_delivery set refused = '" + status + "' where delivery_id = ?",
          delivery.id());
      return true;
    }
    if (delivery.attempts() == 0) {
      log.info(
          "{} waits for the appliance ({})", hook, status == 0 ? "it does not answer" : status);
    }
    long pause = Math.min(LONGEST_MS, SHORTEST_MS << Math.min(delivery.attempts(), 9));
    long jittered = pause / 2 + ThreadLocalRandom.current().nextLong(pause / 2 + 1);
    update(
        "update webhook_delivery set attempts = attempts + 1, not_before = "
            + (clock.millis() + jittered)
            + " where delivery_id = ?",
        delivery.id());
    return false;
  }

  private void update(String statement, String id) {
    database.write(store -> store.sql().sql(statement).param(id).update());
  }

  /** One message that need not be kept, as a hint to look; returns whether it was taken. */
  public boolean tell(String hook, Map<String, Object> message) throws InterruptedException {
    Map<String, Object> all = new java.util.LinkedHashMap<>();
    all.put("deliveryId", UUID.randomUUID().toString());
    all.putAll(message);
    try {
      return post(hook, json.writeValueAsString(all)) / 100 == 2;
    } catch (IOException away) {
      return false;
    }
  }

  private int post(String hook, String body) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(base + hook))
            .timeout(REPLY)
            .header("Authorization", authorization)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
    return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
  }
}
