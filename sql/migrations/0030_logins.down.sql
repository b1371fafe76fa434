drop table meta.login_known;
drop table meta.login_attempts;
drop table meta.login_counts;
