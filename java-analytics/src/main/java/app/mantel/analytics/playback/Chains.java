package app.mantel.analytics.playback;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * Groups what happens into sessions: what follows within 30 minutes belongs together.
 *
 * @param <K> whose session it is
 * @param <E> what a session keeps of each event
 */
final class Chains<K, E> {
  /** The pause that ends a session, usual in web analytics (GA4's default). */
  static final long GAP_MS = 30 * 60_000L;

  /** One session in the making; epoch milliseconds. */
  static final class Chain<E> {
    final long startedAt;
    long endedAt;
    final List<E> events = new ArrayList<>();

    Chain(long startedAt) {
      this.startedAt = startedAt;
      this.endedAt = startedAt;
    }
  }

  private final Map<K, Chain<E>> open = new HashMap<>();
  private final BiConsumer<K, Chain<E>> closed;

  /** {@code closed} is told of each session that is over. */
  Chains(BiConsumer<K, Chain<E>> closed) {
    this.closed = closed;
  }

  /** Events come in the order of their beginning. */
  void add(K key, long beganAt, long endedAt, E event) {
    Chain<E> chain = open.get(key);
    if (chain == null || beganAt - chain.endedAt > GAP_MS) {
      if (chain != null) {
        closed.accept(key, chain);
      }
      chain = new Chain<>(beganAt);
      open.put(key, chain);
    }
    chain.endedAt = Math.max(chain.endedAt, endedAt);
    chain.events.add(event);
  }

  /** Until when an event would belong to an open session that began before {@code border}. */
  long reach(long border) {
    return open.values().stream()
        .filter(chain -> chain.startedAt < border)
        .mapToLong(chain -> chain.endedAt + GAP_MS)
        .max()
        .orElse(border);
  }

  void finish() {
    open.forEach(closed);
    open.clear();
  }
}
