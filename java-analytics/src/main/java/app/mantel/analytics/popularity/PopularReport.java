package app.mantel.analytics.popularity;

import java.util.List;

/** Files in the order of streams + downloads, then watch time, then id. */
public record PopularReport(String range, List<Item> items) {

  /**
   * One file.
   *
   * @param streams visits of a viewer to the file with any byte sent
   * @param plays visits that the playback model counts
   * @param users people and devices
   */
  public record Item(
      String fileId,
      String name,
      long streams,
      long downloads,
      long plays,
      long watchSeconds,
      long users) {}
}
