-- Times are epoch milliseconds UTC; a day is the household's, as YYYY-MM-DD.

create table ingest_cursor (
  epoch text primary key,
  through bigint not null,
  updated_at bigint not null
);

create table ingest_reject (
  epoch text not null,
  seq bigint not null,
  event_id text,
  reason text not null,
  body text not null,
  rejected_at bigint not null,
  primary key (epoch, seq)
);

-- One row an event; a span is replaced by its higher version.
create table event (
  event_id text primary key,
  version integer not null,
  seq bigint not null,
  type text not null,
  at bigint not null,
  began_at bigint not null,
  ended_at bigint not null,
  person text,
  device text,
  file_id text,
  source text,
  state text,
  position double precision,
  rate double precision,
  first_byte bigint,
  bytes bigint,
  size_bytes bigint,
  query text,
  results integer
);
create index event_began_at on event (began_at);
create index event_person on event (person, began_at);

create table person (
  user_id text primary key,
  privacy text not null,
  changed_at bigint not null,
  changed_seq bigint not null
);

-- Pseudonyms of people who were deleted: what still arrives from them is filed under these.
create table person_gone (
  pseudonym text primary key
);

create table privacy_key (
  day text primary key,
  secret text not null
);

create table library_file (
  file_id text primary key,
  root text not null,
  path text not null,
  path_base64 text,
  name text not null,
  folder text not null,
  type text not null,
  mime_type text not null,
  size_bytes bigint not null,
  mtime_ns bigint not null,
  created_at bigint not null,
  added_at bigint not null,
  uploaded_by text,
  changed_at bigint not null,
  changed_seq bigint not null,
  removed_at bigint
);
create index library_file_path on library_file (root, path);

-- What the library weighed when: size_bytes is null where the file was removed.
create table file_change (
  event_id text primary key,
  file_id text not null,
  at bigint not null,
  seq bigint not null,
  size_bytes bigint
);
create index file_change_at on file_change (at, seq);

-- What is in a file, as read when it had this size and time.
create table file_facts (
  file_id text primary key,
  size_bytes bigint not null,
  mtime_ns bigint not null,
  described_at bigint not null,
  failure text,
  duration_sec double precision,
  facts text not null,
  keyframes ${bytes},
  sha256 text,
  hashed_at bigint,
  pending integer not null
);
create index file_facts_pending on file_facts (pending);
create index file_facts_sha256 on file_facts (sha256);

create table analysis_job (
  file_id text not null,
  kind text not null,
  attempts integer not null,
  not_before bigint not null,
  set_aside text,
  primary key (file_id, kind)
);
create index analysis_job_next on analysis_job (set_aside, kind, not_before);

create table bit_rot (
  file_id text not null,
  noticed_at bigint not null,
  expected_sha256 text not null,
  found_sha256 text not null,
  primary key (file_id, noticed_at)
);

create table playback_session (
  viewer text not null,
  file_id text not null,
  started_at bigint not null,
  ended_at bigint not null,
  start_day text not null,
  person text,
  bytes bigint not null,
  watch_seconds double precision not null,
  counted integer not null,
  completed integer not null,
  estimated integer not null,
  coverage ${bytes},
  primary key (viewer, file_id, started_at)
);
create index playback_session_day on playback_session (start_day);
create index playback_session_file on playback_session (file_id);
create index playback_session_ended on playback_session (ended_at);

create table visit (
  person text not null,
  started_at bigint not null,
  ended_at bigint not null,
  start_day text not null,
  primary key (person, started_at)
);
create index visit_day on visit (start_day);
create index visit_ended on visit (ended_at);

create table rollup_dirty (
  day text primary key,
  marked bigint not null
);

create table rollup_play (
  day text not null,
  file_id text not null,
  viewer text not null,
  streams integer not null,
  downloads integer not null,
  plays integer not null,
  completed integer not null,
  views integer not null,
  watch_seconds double precision not null,
  bytes bigint not null,
  primary key (day, file_id, viewer)
);
create index rollup_play_file on rollup_play (file_id, day);

create table rollup_day (
  day text primary key,
  active_users integer not null,
  visits integer not null,
  watch_seconds double precision not null
);

create table rollup_search (
  day text not null,
  query text not null,
  person text not null,
  count integer not null,
  without_result integer not null,
  primary key (day, query, person)
);

create table rollup_storage (
  day text primary key,
  total_bytes bigint not null,
  files integer not null
);

create table webhook_delivery (
  delivery_id text primary key,
  hook text not null,
  body text not null,
  attempts integer not null,
  not_before bigint not null,
  created_at bigint not null,
  refused text
);
create index webhook_delivery_next on webhook_delivery (hook, created_at);

create table job_run (
  name text not null,
  period text not null,
  started_at bigint not null,
  finished_at bigint,
  status text not null,
  error text,
  primary key (name, period, started_at)
);

-- Small things that the daemon remembers about itself, such as the time zone of its days.
create table note (
  name text primary key,
  value text not null
);
