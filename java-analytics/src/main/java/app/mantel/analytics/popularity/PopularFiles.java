package app.mantel.analytics.popularity;

import app.mantel.analytics.db.Database;
import app.mantel.analytics.web.ReportRange;
import java.util.List;
import org.springframework.stereotype.Component;

/** Ranks files by what the rollups say; a range in hours asks the sessions themselves. */
@Component
class PopularFiles {
  private static final String BY_DAY =
      "select file_id, viewer, streams, downloads, plays, watch_seconds from rollup_play"
          + " where day >= :day and streams + downloads + plays > 0";

  private static final String BY_HOUR =
      "select file_id, viewer, case when bytes > 0 then 1 else 0 end as streams, 0 as downloads,"
          + " counted as plays, watch_seconds from playback_session"
          + " where started_at >= :since and start_day >= :day"
          + " union all select file_id, coalesce(person, device, 'unknown'), 0, 1, 0, 0 from event"
          + " where began_at >= :since and type = 'download' and file_id is not null";

  private final Database database;

  PopularFiles(Database database) {
    this.database = database;
  }

  /** At most {@code limit} files that are still there and were streamed or downloaded. */
  List<PopularReport.Item> find(ReportRange range, int limit) {
    return database
        .read()
        .sql(
            "select p.file_id, coalesce(max(l.name), ''), sum(p.streams), sum(p.downloads),"
                + " sum(p.plays), sum(p.watch_seconds), count(distinct p.viewer)"
                + " from ("
                + (range.hours() ? BY_HOUR : BY_DAY)
                + ") p left join library_file l on l.file_id = p.file_id"
                + " where l.removed_at is null and p.streams + p.downloads + p.plays > 0"
                + " group by p.file_id"
                + " order by sum(p.streams) + sum(p.downloads) desc, sum(p.watch_seconds) desc, p.file_id"
                + " limit :limit")
        .param("day", range.firstDay().toString())
        .param("since", range.since())
        .param("limit", limit)
        .query(
            (row, n) ->
                new PopularReport.Item(
                    row.getString(1),
                    row.getString(2),
                    row.getLong(3),
                    row.getLong(4),
                    row.getLong(5),
                    row.getLong(6),
                    row.getLong(7)))
        .list();
  }
}
