package app.mantel.analytics.phone;

import app.mantel.analytics.settings.BadSetting;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where copies for phones are kept, and how much room they may take.
 *
 * @param folder null: no copies are made
 * @param space bytes, all copies together
 */
public record PhoneSettings(@Nullable Path folder, long space) {
  private static final Pattern SIZE = Pattern.compile("(\\d{1,12})\\s*(|[KMGT]iB)");
  private static final List<String> UNITS = List.of("", "KiB", "MiB", "GiB", "TiB");

  /** Throws BadSetting for a size that is none. */
  public static PhoneSettings read(Map<String, String> environment) {
    String folder = environment.getOrDefault("MANTEL_PHONE_COPIES", "").strip();
    String space = environment.getOrDefault("MANTEL_PHONE_COPIES_SPACE", "20 GiB").strip();
    Matcher size = SIZE.matcher(space);
    if (!size.matches()) {
      throw new BadSetting(
          "MANTEL_PHONE_COPIES_SPACE", space, "a number of bytes, or like 20 GiB, is allowed");
    }
    return new PhoneSettings(
        folder.isEmpty() ? null : Path.of(folder).toAbsolutePath().normalize(),
        Long.parseLong(size.group(1)) << 10 * UNITS.indexOf(size.group(2)));
  }
}
