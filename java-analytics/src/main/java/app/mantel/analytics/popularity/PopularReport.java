package app.mantel.analytics.popularity;

import io.swagger.v3.oas.annotations.media.Schema;
import java.util.List;

/** Files in the order of streams + downloads, then watch time, then id. */
public record PopularReport(String range, List<Item> items) {

  /** One file. */
  public record Item(
      String fileId,
      String name,
      @Schema(description = "Sessions with any byte sent.") long streams,
      long downloads,
      @Schema(description = "Sessions that watched enough.") long plays,
      long watchSeconds,
      @Schema(
              description =
                  "Different viewers of sessions and downloads; an anonymous person anew each day.")
          long users) {}
}
