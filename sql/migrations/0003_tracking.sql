-- What MLflow is told beside the generations themselves: what people think of answers, and how far each record has come.

-- One opinion a user and message. Sent as an assessment of the answer's trace; changing one's mind changes the assessment.
create table app.feedback (
  tenant_id uuid not null references app.tenants (id),
  message_id uuid not null,
  user_id uuid not null,
  rating double precision not null check (rating between -1000000 and 1000000),
  comment text check (char_length(comment) <= 4000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  revision integer not null default 1,
  sent_revision integer not null default 0,
  primary key (tenant_id, message_id, user_id),
  foreign key (tenant_id, message_id) references app.messages (tenant_id, id) on delete cascade,
  foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete cascade
);
comment on column app.feedback.revision is 'Counted up by a trigger with each change of mind; sent_revision is the one MLflow knows.';
create index feedback_of_user on app.feedback (tenant_id, user_id);

-- A trace of MLflow belongs to one generation. Whoever calls us may name the trace (W3C trace context), and so may name one that is
-- taken, by themselves or by another tenant: then it is tracked under a name of its own.
alter table app.generations add column tracked_as text check (tracked_as ~ '^[0-9a-f]{32}$');
comment on column app.generations.tracked_as is 'The trace''s id in MLflow, decided when it is first sent, where the caller named the trace. Else it is trace_id.';
create index generations_of_trace on app.generations (trace_id, tenant_id);

alter table app.tracking_outbox
  add column run_done boolean not null default false,
  add column unsure boolean not null default false,
  add column revision integer not null default 1;
comment on column app.tracking_outbox.unsure is 'Something may have arrived that nobody heard an answer to: look in MLflow before creating anything.';
comment on column app.tracking_outbox.revision is 'Counted up when there is more to send, so that what was claimed before is not taken for all.';
create index tracking_outbox_due on app.tracking_outbox (next_attempt_at, tenant_id) where parked_reason is null;
