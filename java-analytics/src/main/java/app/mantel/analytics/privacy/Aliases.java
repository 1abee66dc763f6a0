package app.mantel.analytics.privacy;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.settings.DayBorders;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * The name under which a person's events are kept, in one write transaction.
 *
 * <p>Rules: a deleted person has one pseudonym for ever, so that late events join the earlier ones.
 * An anonymous person has another one each day, whose key is thrown away after {@link #KEY_DAYS}
 * days: from then on nobody can tell whose it was. A pseudonym is told from an id by its dash.
 */
public final class Aliases {
  public static final String GONE = "gone-";
  public static final String ANONYMOUS = "anon-";

  /** How long a day's key is kept, since events of that day may still arrive. */
  public static final int KEY_DAYS = 7;

  private static final String ALWAYS = "always";
  private static final SecureRandom random = new SecureRandom();

  private final Database.Writing store;
  private final DayBorders days;
  private final Map<String, byte[]> keys = new HashMap<>();
  private final Map<String, Privacy> privacy = new HashMap<>();
  private final Map<String, Boolean> gone = new HashMap<>();

  public Aliases(Database.Writing store, DayBorders days) {
    this.store = store;
    this.days = days;
  }

  /** Whether {@code userId} was deleted. */
  public boolean isGone(String userId) {
    return gone.computeIfAbsent(
        userId,
        id ->
            store
                .sql()
                .sql("select 1 from person_gone where pseudonym = ?")
                .param(pseudonymForEver(id))
                .query(Integer.class)
                .optional()
                .isPresent());
  }

  Privacy privacyOf(String userId) {
    return privacy.computeIfAbsent(
        userId,
        id ->
            Privacy.of(
                store
                    .sql()
                    .sql("select privacy from person where user_id = ?")
                    .param(id)
                    .query(String.class)
                    .optional()
                    .orElse(null)));
  }

  /** Whether the id itself may stand beside an event. */
  public boolean isNamed(String userId) {
    return !isGone(userId) && privacyOf(userId) == Privacy.FULL;
  }

  /** What stands for {@code userId} beside an event of time {@code at}. */
  public @Nullable String alias(@Nullable String userId, long at) {
    if (userId == null) {
      return null;
    }
    if (isGone(userId)) {
      return pseudonymForEver(userId);
    }
    return privacyOf(userId) == Privacy.FULL ? userId : pseudonymOf(userId, days.day(at));
  }

  String pseudonymForEver(String userId) {
    return GONE + mac(key(ALWAYS), userId);
  }

  String pseudonymOf(String userId, LocalDate day) {
    return ANONYMOUS + mac(key(day.toString()), userId);
  }

  void forgetCached(String userId) {
    privacy.remove(userId);
    gone.remove(userId);
  }

  private byte[] key(String day) {
    return keys.computeIfAbsent(
        day,
        name -> {
          byte[] fresh = new byte[32];
          random.nextBytes(fresh);
          store
              .sql()
              .sql(
                  "insert into privacy_key (day, secret) values (?, ?) on conflict (day) do nothing")
              .params(name, HexFormat.of().formatHex(fresh))
              .update();
          return HexFormat.of()
              .parseHex(
                  store
                      .sql()
                      .sql("select secret from privacy_key where day = ?")
                      .param(name)
                      .query(String.class)
                      .single());
        });
  }

  private static String mac(byte[] key, String text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      byte[] all = mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(all, 0, 12);
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
