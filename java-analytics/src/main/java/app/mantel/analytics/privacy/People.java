package app.mantel.analytics.privacy;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.settings.DayBorders;
import java.time.LocalDate;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.springframework.stereotype.Component;

/** Who wants to be counted how; a change reaches back over everything that is kept. */
@Component
public class People {
  /**
   * Each table that names a person: its column for the day's time or the day, and for the person.
   * What stands there under the new name already, of an earlier wish for this day, makes room: the
   * day is counted anew.
   */
  private static final List<String> RENAMES =
      List.of(
          "delete from playback_session where person = :alias and start_day = :day",
          "delete from visit where person = :alias and start_day = :day",
          "delete from rollup_play where viewer = :alias and day = :day",
          "update event set person = :alias, device = null"
              + " where person = :user and began_at >= :from and began_at < :to",
          "update playback_session set viewer = :alias, person = :alias"
              + " where person = :user and start_day = :day",
          "update visit set person = :alias where person = :user and start_day = :day",
          "update rollup_play set viewer = :alias where viewer = :user and day = :day");

  private static final List<String> DAYS_OF =
      List.of(
          "select distinct start_day from playback_session where person = :user",
          "select distinct start_day from visit where person = :user",
          "select distinct day from rollup_play where viewer = :user",
          "select distinct day from rollup_search where person = :user");

  private final DayBorders days;

  People(DayBorders days) {
    this.days = days;
  }

  /**
   * A user's wish, as of time {@code at}; an older wish than the one known changes nothing. Returns
   * the days that name the person otherwise now.
   */
  public Set<LocalDate> changed(
      Database.Writing store, Aliases aliases, String userId, Privacy wish, long at, long seq) {
    if (aliases.isGone(userId)) {
      return Set.of();
    }
    int newer =
        store
            .sql()
            .sql(
                "insert into person (user_id, privacy, changed_at, changed_seq) values (?, ?, ?, ?)"
                    + " on conflict (user_id) do update set privacy = excluded.privacy,"
                    + " changed_at = excluded.changed_at, changed_seq = excluded.changed_seq"
                    + " where excluded.changed_at > person.changed_at or (excluded.changed_at ="
                    + " person.changed_at and excluded.changed_seq > person.changed_seq)")
            .params(userId, wish.feedName(), at, seq)
            .update();
    aliases.forgetCached(userId);
    if (newer == 0 || wish == Privacy.FULL) {
      return Set.of();
    }
    Set<LocalDate> renamed = rename(store, aliases, userId);
    // Searches of anonymous people count as those of one person.
    store
        .sql()
        .sql(
            "insert into rollup_search (day, query, person, count, without_result)"
                + " select day, query, 'anon', count, without_result from rollup_search"
                + " where person = :user on conflict (day, query, person) do update set"
                + " count = rollup_search.count + excluded.count,"
                + " without_result = rollup_search.without_result + excluded.without_result")
        .param("user", userId)
        .update();
    store.sql().sql("delete from rollup_search where person = ?").param(userId).update();
    return renamed;
  }

  /** A user is gone: what they did stays counted under a pseudonym, what they typed is erased. */
  public Set<LocalDate> deleted(Database.Writing store, Aliases aliases, String userId) {
    if (aliases.isGone(userId)) {
      return Set.of();
    }
    store
        .sql()
        .sql("update event set query = null where person = ? and type = 'search'")
        .param(userId)
        .update();
    store.sql().sql("delete from rollup_search where person = ?").param(userId).update();
    store.sql().sql("delete from person where user_id = ?").param(userId).update();
    store
        .sql()
        .sql("insert into person_gone (pseudonym) values (?) on conflict do nothing")
        .param(aliases.pseudonymForEver(userId))
        .update();
    aliases.forgetCached(userId);
    return rename(store, aliases, userId);
  }

  private Set<LocalDate> rename(Database.Writing store, Aliases aliases, String userId) {
    store
        .sql()
        .sql("update library_file set uploaded_by = null where uploaded_by = ?")
        .param(userId)
        .update();
    store
        .sql()
        .sql("delete from ingest_reject where body like ? escape '!'")
        .param("%" + userId.replaceAll("[!%_]", "!$0") + "%")
        .update();
    Set<LocalDate> found = daysOf(store, userId);
    for (LocalDate date : found) {
      for (String statement : RENAMES) {
        store
            .sql()
            .sql(statement)
            .param("user", userId)
            .param("alias", aliases.alias(userId, days.start(date)))
            .param("from", days.start(date))
            .param("to", days.end(date))
            .param("day", date.toString())
            .update();
      }
    }
    return found;
  }

  private Set<LocalDate> daysOf(Database.Writing store, String userId) {
    Set<LocalDate> found = new TreeSet<>();
    for (String query : DAYS_OF) {
      store.sql().sql(query).param("user", userId).query(String.class).list().stream()
          .map(LocalDate::parse)
          .forEach(found::add);
    }
    store
        .sql()
        .sql("select began_at from event where person = ?")
        .param(userId)
        .query(
            rows -> {
              found.add(days.day(rows.getLong(1)));
            });
    return found;
  }
}
