-- Said nothing that the visits do not say.
drop table rollup_day;
