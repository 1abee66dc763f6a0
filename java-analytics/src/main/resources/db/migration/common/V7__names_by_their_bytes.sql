-- Files whose names are no UTF-8 can be read now: those that were set aside for it get another try.
insert into analysis_job (file_id, kind, attempts, not_before)
select file_id, 'describe', 0, 0 from file_facts where failure = 'its name is no UTF-8'
on conflict (file_id, kind) do nothing;
update analysis_job set set_aside = null, attempts = 0 where set_aside = 'its name is no UTF-8';
