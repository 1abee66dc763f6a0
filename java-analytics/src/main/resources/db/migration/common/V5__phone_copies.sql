-- Films of which no copy for phones can be made, as they were when it was tried.
create table phone_copy_failed (
  file_id text primary key,
  size_bytes bigint not null,
  mtime_ns bigint not null,
  reason text not null,
  failed_at bigint not null
);
