-- The ranking of all time, for people's own SQL; the reports read the rollups on both stores.
-- The unique index without a condition is what a refresh beside readers needs.
create materialized view popular_ranking as
select
  file_id,
  sum(streams) as streams,
  sum(downloads) as downloads,
  sum(plays) as plays,
  sum(watch_seconds) as watch_seconds,
  count(distinct viewer) as users,
  rank() over (order by sum(streams) + sum(downloads) desc, sum(watch_seconds) desc, file_id) as place
from rollup_play
group by file_id;

create unique index popular_ranking_file on popular_ranking (file_id);
