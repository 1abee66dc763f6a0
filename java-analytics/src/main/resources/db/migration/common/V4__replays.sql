-- How many of the 100 parts the session saw again; finds the few sessions that replayed anything.
alter table playback_session add column replayed integer not null default 0;
create index playback_session_replayed on playback_session (replayed);
-- The playback model is another: count all days again.
delete from note where name = 'timezone';
