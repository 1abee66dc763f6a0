package app.mantel.analytics.system;

import static org.assertj.core.api.Assertions.assertThat;

import app.mantel.analytics.Golden;
import app.mantel.analytics.db.Database;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What happened in a small household, as events of the feed. Times are written like {@code
 * 2026-10-24T21:50:00Z}; ids like {@code ann} and {@code f1}.
 */
public final class World {
  private static final int BATCH = 500;
  private static final long MTIME_NS = 1_763_824_000_123_456_789L;

  private record Facts(String fileId, double seconds, @Nullable String sha256) {}

  private final List<ObjectNode> events = new ArrayList<>();
  private final List<Facts> facts = new ArrayList<>();
  private final Map<String, Long> sizes = new TreeMap<>();

  public List<ObjectNode> events() {
    return events;
  }

  private ObjectNode event(String type, String at, @Nullable String user, @Nullable String file) {
    ObjectNode event = Golden.JSON.createObjectNode();
    int seq = events.size() + 1;
    event
        .put("seq", seq)
        .put("eventId", "01930f2e-7c1a-7b5e-9d3a-%012x".formatted(seq))
        .put("version", 1)
        .put("at", at)
        .put("type", type);
    if (user != null) {
      event.put(user.startsWith("tv") ? "device" : "userId", user);
    }
    if (file != null) {
      event.put("fileId", file);
    }
    event.putObject("payload");
    events.add(event);
    return event;
  }

  private static ObjectNode payload(ObjectNode event) {
    return (ObjectNode) event.get("payload");
  }

  public World user(String at, String user, String privacy) {
    payload(event("user_changed", at, user, null))
        .put("name", "Name of " + user)
        .put("role", "viewer")
        .put("privacy", privacy);
    return this;
  }

  public World userDeleted(String at, String user) {
    event("user_deleted", at, user, null);
    return this;
  }

  /** {@code kind}: video, audio, image, document or other. */
  public World file(String at, String file, String name, String kind, long size) {
    sizes.put(file, size);
    payload(event("file_added", at, null, file))
        .put("root", "/srv/media")
        .put("path", name)
        .put("name", name)
        .put("folder", "")
        .put("type", kind)
        .put("mimeType", kind + "/x")
        .put("sizeBytes", size)
        .put("mtimeNs", Long.toString(MTIME_NS))
        .put("createdAt", at);
    return this;
  }

  public World fileRemoved(String at, String file) {
    event("file_removed", at, null, file);
    return this;
  }

  /** What the analysis found in a file; told to the store, not over the feed. */
  public World facts(String file, double seconds, @Nullable String sha256) {
    facts.add(new Facts(file, seconds, sha256));
    return this;
  }

  public World span(String from, String to, String viewer, String file, long first, long bytes) {
    payload(event("span", to, viewer, file))
        .put("source", "web")
        .put("firstByte", first)
        .put("bytes", bytes)
        .put("sizeBytes", sizes.getOrDefault(file, bytes))
        .put("startedAt", from)
        .put("endedAt", to)
        .put("closed", true);
    return this;
  }

  public World ping(String at, String viewer, String file, String state, double position) {
    payload(event("ping", at, viewer, file))
        .put("state", state)
        .put("position", position)
        .put("rate", 1);
    return this;
  }

  /** Played without a pause from {@code position} on, as pings tell it. */
  public World watched(String at, String viewer, String file, double position, int seconds) {
    ping(at, viewer, file, "playing", position);
    String end = Instant.parse(at).plusSeconds(seconds).toString();
    return ping(end, viewer, file, "paused", position + seconds);
  }

  public World download(String at, String viewer, String file) {
    payload(event("download", at, viewer, file)).put("bytes", 1).put("sizeBytes", 1);
    return this;
  }

  public World view(String at, String viewer, String file) {
    event("view", at, viewer, file);
    return this;
  }

  public World search(String at, String viewer, String query, int results) {
    payload(event("search", at, viewer, null)).put("query", query).put("results", results);
    return this;
  }

  /** Sends all events in their order, in full batches. */
  public void tell(Daemon daemon) throws Exception {
    know(daemon);
    for (int from = 0; from < events.size(); from += BATCH) {
      send(daemon, events.subList(from, Math.min(events.size(), from + BATCH)));
    }
  }

  /** Sends these events, whatever their order, as one batch in which nothing may be refused. */
  public static void send(Daemon daemon, List<ObjectNode> batch) throws Exception {
    ObjectNode body = Golden.JSON.createObjectNode();
    body.put("epoch", "of-the-test").put("from", 1).put("to", 1_000_000);
    batch.forEach((Consumer<JsonNode>) body.putArray("events")::add);
    JsonNode answer =
        Golden.JSON.readTree(daemon.post("/api/analytics/ingest", body.toString()).body());
    assertThat(answer.path("rejected")).as(answer.toString()).isEmpty();
    assertThat(answer.has("through")).as(answer.toString()).isTrue();
  }

  /**
   * Puts the facts of the files into the store; told before the files, so that none is analysed.
   */
  public void know(Daemon daemon) {
    daemon
        .bean(Database.class)
        .write(
            store ->
                store.each(
                    "insert into file_facts (file_id, size_bytes, mtime_ns, described_at, facts,"
                        + " pending, duration_sec, sha256) values (?, ?, ?, 0, '{}', 0, ?, ?)",
                    facts.stream()
                        .map(
                            known ->
                                new Object[] {
                                  known.fileId,
                                  sizes.getOrDefault(known.fileId, 6_000_000L),
                                  MTIME_NS,
                                  known.seconds,
                                  known.sha256
                                })
                        .toList()));
  }
}
