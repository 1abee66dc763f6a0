package app.mantel.analytics.privacy;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Tells how many different people and devices a list of sessions or visits is of. An anonymous
 * person has another pseudonym each day, so that two pseudonyms of different days may be one
 * person, and one of them may be somebody who is named on another day.
 */
public final class Viewers {
  /** What is of fewer is somebody's own and not shown. */
  public static final int ENOUGH = 2;

  private final Set<String> named = new HashSet<>();
  private final Map<String, Set<String>> anonymous = new HashMap<>();

  /** {@code viewer} was there on {@code day}. */
  public void add(String viewer, String day) {
    if (viewer.startsWith(Aliases.ANONYMOUS)) {
      anonymous.computeIfAbsent(day, d -> new HashSet<>()).add(viewer);
    } else {
      named.add(viewer);
    }
  }

  /** The best count: of the anonymous the day that had the most. */
  public int likely() {
    return named.size() + mostAnonymous();
  }

  /** No more than are different people or devices without doubt. */
  public int surelyDifferent() {
    return Math.max(named.size(), mostAnonymous());
  }

  private int mostAnonymous() {
    return anonymous.values().stream().mapToInt(Set::size).max().orElse(0);
  }
}
