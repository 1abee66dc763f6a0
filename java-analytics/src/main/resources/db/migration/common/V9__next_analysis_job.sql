-- With the order that is asked for, the next job is the first entry: a look at a folder tells of a thousand
-- files in one millisecond, and each next one was sought out of all of them.
drop index analysis_job_next;
create index analysis_job_next on analysis_job (set_aside, kind, not_before, file_id);
