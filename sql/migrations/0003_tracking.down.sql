-- loses: feedback, and how far half-sent records of MLflow have come (they may be sent twice)

drop index app.tracking_outbox_due;
alter table app.tracking_outbox drop column revision, drop column unsure, drop column run_done;
drop index app.generations_of_trace;
alter table app.generations drop column tracked_as;
drop table app.feedback;
