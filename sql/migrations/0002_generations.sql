-- Questions and answers. A message is a question with its answer; a generation is one run of the model towards that answer, and
-- keeps the account of it (who, when, which model, how many tokens) when the message is long deleted: what was paid for stays known.

create table app.conversations (
  tenant_id uuid not null references app.tenants (id),
  id uuid not null,
  user_id uuid not null,
  title text check (char_length(title) between 1 and 200),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete cascade
);
create index conversations_of_user on app.conversations (tenant_id, user_id, id desc);

create table app.messages (
  tenant_id uuid not null references app.tenants (id),
  id uuid not null,
  user_id uuid not null,
  conversation_id uuid,
  content text not null,
  response text,
  token_lengths integer[],
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete cascade,
  foreign key (tenant_id, conversation_id) references app.conversations (tenant_id, id) on delete cascade,
  check ((response is null) = (token_lengths is null))
);
comment on column app.messages.response is 'Null until the generation ended; partial where it did not come to its end.';
comment on column app.messages.token_lengths is 'How many characters each token of the response has: a reader can resume between any two.';
create index messages_of_user on app.messages (tenant_id, user_id, id desc);
create index messages_of_conversation on app.messages (tenant_id, conversation_id, id) where conversation_id is not null;

create table app.generations (
  tenant_id uuid not null references app.tenants (id),
  id uuid not null,
  message_id uuid,
  user_id uuid not null,
  conversation_id uuid,
  source text not null check (source in ('messages', 'messages.stream', 'rpc')),
  provider text not null check (char_length(provider) <= 100),
  model text not null check (char_length(model) <= 200),
  response_model text check (char_length(response_model) <= 200),
  status text not null default 'streaming'
    check (status in ('queued', 'streaming', 'completed', 'failed', 'cancelled', 'interrupted')),
  finish_reason text check (finish_reason in ('stop', 'length', 'content_filter', 'tool_calls', 'other')),
  failure text check (char_length(failure) <= 50),
  lease_owner uuid not null,
  lease_until timestamptz not null default now() + interval '30 seconds',
  cancel_requested_at timestamptz,
  followed_until timestamptz,
  tokens_in integer,
  tokens_out integer,
  approx_tokens_in integer not null,
  approx_tokens_out integer,
  cost_usd numeric(14, 8),
  prompt_length integer not null,
  response_length integer,
  request_id text check (char_length(request_id) <= 200),
  trace_id text not null check (trace_id ~ '^[0-9a-f]{32}$'),
  parent_span_id text check (parent_span_id ~ '^[0-9a-f]{16}$'),
  created_at timestamptz not null,
  admitted_at timestamptz not null,
  started_at timestamptz,
  first_token_at timestamptz,
  model_ended_at timestamptz,
  ended_at timestamptz,
  primary key (tenant_id, id),
  -- The account outlives the message.
  foreign key (tenant_id, message_id) references app.messages (tenant_id, id) on delete set null (message_id),
  check ((ended_at is null) = (status in ('queued', 'streaming')))
);
comment on column app.generations.user_id is 'No foreign key: who spent it stays known when they are gone. Likewise conversation_id.';
comment on column app.generations.lease_until is 'Renewed by the process that runs it; once past, the process is gone and a sweeper ends it as interrupted.';
comment on column app.generations.followed_until is 'Pushed on by readers at another process than the one that runs it: their answer is not given up.';
comment on column app.generations.created_at is 'When the request arrived; admitted_at: when it got its turn; started_at: when the model was asked.';
comment on column app.generations.trace_id is 'W3C trace context: the caller''s, or our own.';
create index generations_of_message on app.generations (tenant_id, message_id);
create index generations_running on app.generations (lease_until, tenant_id) where status in ('queued', 'streaming');

-- What came so far of answers that are still running; gone when they ended, since the message has it all then.
create table app.generation_chunks (
  tenant_id uuid not null references app.tenants (id),
  generation_id uuid not null,
  seq integer not null check (seq > 0),
  tokens text[] not null check (cardinality(tokens) > 0),
  primary key (tenant_id, generation_id, seq),
  foreign key (tenant_id, generation_id) references app.generations (tenant_id, id) on delete cascade
);
comment on column app.generation_chunks.seq is 'The place of the first of these tokens in the answer, from 1 on.';

create table app.idempotency_keys (
  tenant_id uuid not null references app.tenants (id),
  user_id uuid not null,
  key text not null check (char_length(key) <= 255),
  body_hash text not null check (char_length(body_hash) <= 100),
  message_id uuid not null,
  generation_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, user_id, key),
  foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete cascade,
  foreign key (tenant_id, message_id) references app.messages (tenant_id, id) on delete cascade
);
comment on table app.idempotency_keys is 'Kept for a day. A key whose question failed before the first token is forgotten at once: it may be asked again.';

-- Ended generations that MLflow does not know yet. Written in the transaction that ends the generation.
create table app.tracking_outbox (
  tenant_id uuid not null references app.tenants (id),
  generation_id uuid not null,
  created_at timestamptz not null default now(),
  claimed_by uuid,
  claimed_until timestamptz,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  run_id text check (char_length(run_id) <= 100),
  trace_sent boolean not null default false,
  parked_reason text check (char_length(parked_reason) <= 1000),
  primary key (tenant_id, generation_id),
  foreign key (tenant_id, generation_id) references app.generations (tenant_id, id) on delete cascade
);
comment on column app.tracking_outbox.parked_reason is 'Set: MLflow refuses this record for good, and it waits for a person. It holds nobody up.';
comment on column app.tracking_outbox.run_id is 'The run, once MLflow made it: a record that was half sent goes on from there.';
