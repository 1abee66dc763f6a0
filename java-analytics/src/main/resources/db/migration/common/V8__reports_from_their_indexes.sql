-- Each report adds up what one index holds, and what it never asks for is in none.
-- Views of photos are no part of the ranking.
drop index rollup_play_ranking;
create index rollup_play_ranking
  on rollup_play (file_id, viewer, day, streams, downloads, plays, watch_seconds)
  where streams + downloads + plays > 0;
-- Few sessions see a part again.
drop index playback_session_replayed;
create index playback_session_replayed on playback_session (file_id) where replayed > 0;
-- Without these the engagement reads the sessions themselves, and with them the parts that each saw.
drop index playback_session_day;
create index playback_session_day on playback_session (start_day, started_at, person, watch_seconds);
drop index visit_day;
create index visit_day on visit (start_day, person, started_at, ended_at);
