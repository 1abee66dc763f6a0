package app.mantel.analytics.system;

import static org.assertj.core.api.Assertions.assertThat;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.db.Store;
import app.mantel.analytics.db.Tables;
import app.mantel.analytics.playback.Rollup;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.Tag;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import tools.jackson.databind.node.ObjectNode;

/**
 * However the events come, and however often they are counted on the way: in the end both stores
 * hold what one count of the raw events makes of them.
 */
class RollupPropertiesTest {
  private static final Instant NOW = Instant.parse("2026-10-27T12:00:00Z");
  private static final Instant FIRST = Instant.parse("2026-10-23T20:00:00Z");
  private static final String[] VIEWERS = {"ann", "bob", "cy", "dee", "tv1", "tv2"};
  private static final String[] FILES = {"f1", "f2", "f3"};
  private static final List<String> COUNTED =
      List.of(
          "playback_session",
          "visit",
          "rollup_play",
          "rollup_search",
          "file_change",
          "person_gone");
  private static final List<String> KEPT =
      List.of("privacy_key", "file_facts", "schema_history", "popular_ranking");
  private static final Map<Store, Daemon> daemons = new EnumMap<>(Store.class);

  @AfterContainer
  static void stop() {
    daemons.values().forEach(Daemon::close);
    daemons.clear();
  }

  @Property(tries = 12, shrinking = ShrinkingMode.OFF)
  void orderRepeatsAndBordersOfBatchesChangeNothing(
      @ForAll Store store,
      @ForAll @Size(min = 5, max = 40) List<@IntRange(min = 0, max = 1_000_000) Integer> acts,
      @ForAll long seed)
      throws Exception {
    check(store, acts, seed);
  }

  @Tag("slow")
  @Property(tries = 300)
  void manyMoreOfThem(
      @ForAll Store store,
      @ForAll @Size(min = 5, max = 120) List<@IntRange(min = 0, max = 1_000_000) Integer> acts,
      @ForAll long seed)
      throws Exception {
    check(store, acts, seed);
  }

  private static void check(Store store, List<Integer> acts, long seed) throws Exception {
    Daemon daemon = daemon(store);
    Database database = daemon.bean(Database.class);
    List<ObjectNode> events = world(acts).events();

    wipe(database);
    World.send(daemon, events);
    daemon.bean(Rollup.class).run();
    Map<String, List<String>> once = Tables.rows(database, COUNTED);

    wipe(database);
    Random random = new Random(seed);
    List<ObjectNode> scrambled = new ArrayList<>(events);
    for (ObjectNode event : events) {
      if (random.nextInt(3) == 0) {
        scrambled.add(random.nextBoolean() ? event : earlier(event));
      }
    }
    Collections.shuffle(scrambled, random);
    for (int from = 0; from < scrambled.size(); ) {
      int to = Math.min(scrambled.size(), from + 1 + random.nextInt(20));
      World.send(daemon, scrambled.subList(from, to));
      if (random.nextBoolean()) {
        daemon.bean(Rollup.class).run();
      }
      from = to;
    }
    daemon.bean(Rollup.class).run();
    assertThat(Tables.rows(database, COUNTED)).isEqualTo(once);
  }

  /** An earlier version of a span, shorter; anything else as it is. */
  private static ObjectNode earlier(ObjectNode event) {
    if (!event.get("type").asString().equals("span")) {
      return event;
    }
    ObjectNode shorter = event.deepCopy();
    shorter.put("version", 1);
    ((ObjectNode) shorter.get("payload"))
        .put("bytes", event.get("payload").get("bytes").asLong() / 2)
        .put("endedAt", event.get("payload").get("startedAt").asString());
    return shorter;
  }

  /** Four people, of whom cy is anonymous and dee is deleted, two televisions, four days. */
  private static World world(List<Integer> acts) {
    World world = new World();
    for (String file : FILES) {
      world.file("2026-10-01T00:00:00Z", file, file + ".mp4", "video", 6_000_000);
    }
    world
        .user("2026-10-01T00:00:00Z", "ann", "full")
        .user("2026-10-01T00:00:00Z", "cy", "full")
        .user("2026-10-02T00:00:00Z", "cy", "anonymous")
        .user("2026-10-01T00:00:00Z", "dee", "full");
    for (int act : acts) {
      // five minutes are the grain, so that sessions touch, join and tie
      Instant at = FIRST.plusSeconds(300L * (act / 500 % 960));
      String viewer = VIEWERS[act % VIEWERS.length];
      String file = FILES[act / 7 % FILES.length];
      switch (act / 11 % 6) {
        case 0 -> {
          int bytes = act % 900_000;
          world.span(at.toString(), at.plusSeconds(600).toString(), viewer, file, act % 99, bytes);
          world.events().get(world.events().size() - 1).put("version", 3);
        }
        case 1 -> world.watched(at.toString(), viewer, file, act % 3000, 60 + act % 1700);
        case 2 -> world.download(at.toString(), viewer, file);
        case 3 -> world.view(at.toString(), viewer, file);
        case 4 -> world.search(at.toString(), viewer, "word" + act % 3, act % 2);
        default -> world.ping(at.toString(), viewer, file, "paused", act % 3000);
      }
    }
    return world
        .fileRemoved("2026-10-27T00:00:00Z", "f3")
        .userDeleted("2026-10-27T01:00:00Z", "dee");
  }

  private static Daemon daemon(Store store) throws Exception {
    Daemon running = daemons.get(store);
    if (running == null) {
      running = new Daemon(store.empty(), Clock.fixed(NOW, ZoneOffset.UTC));
      daemons.put(store, running);
      new World().facts("f1", 6000, null).facts("f2", 100, null).tell(running);
    }
    return running;
  }

  private static void wipe(Database database) {
    List<String> tables =
        Tables.of(database).stream().filter(table -> !KEPT.contains(table)).toList();
    database.write(
        store -> {
          tables.forEach(table -> store.sql().sql("delete from " + table).update());
          return true;
        });
  }
}
