drop table meta.throttles;
