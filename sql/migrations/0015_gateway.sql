-- Answers by the doors under /v1: what was sent, what came beside the text, each call of a provider, and what is kept of it.

alter table app.generations
  drop constraint generations_source_check,
  add constraint generations_source_check check (
    source in ('messages', 'messages.stream', 'rpc', 'chat.completions', 'responses', 'anthropic.messages', 'embeddings')
  ),
  add column usage jsonb check (jsonb_typeof(usage) = 'object' and octet_length(usage::text) <= 4096),
  add column content text not null default 'kept' check (content in ('kept', 'leaving', 'removed'));
comment on column app.generations.usage is
  'Parts of tokens_in and tokens_out as the provider counted them (UsageDetails in packages/domain/src/Usage.ts); null: it named none.';
comment on column app.generations.content is
  'Of question and answer. leaving: removed a minute after the end, since the tenant keeps none, or the request said so. removed: done, or too old.';
-- For the removal, across tenants.
create index generations_leaving on app.generations (lease_until, tenant_id) where content = 'leaving';

alter table app.messages
  add column request text,
  add column log text;
comment on column app.messages.request is 'The body of a request under /v1 as it was sent, JSON. Null: content is all of it.';
comment on column app.messages.log is
  'The answer''s log where it is more than text: token_lengths are of its entries, see packages/domain/src/ModelEvent.ts. Null: response is it.';

-- One row for each call of a provider, failed ones too. Written with the answer''s end by the definer functions of work alone, from the
-- generation''s own row, which is never deleted: a foreign key would only cost 25 µs an answer.
create table app.attempts (
  tenant_id uuid not null references app.tenants (id),
  generation_id uuid not null,
  number smallint not null check (number > 0),
  user_id uuid not null,
  provider text not null check (char_length(provider) <= 100),
  model text not null check (char_length(model) <= 200),
  key_source text not null check (key_source in ('installation', 'tenant')),
  response_model text check (char_length(response_model) <= 200),
  upstream_id text check (char_length(upstream_id) <= 200),
  http_status smallint,
  failure text check (char_length(failure) <= 50),
  tokens_in integer,
  tokens_out integer,
  usage jsonb check (jsonb_typeof(usage) = 'object' and octet_length(usage::text) <= 4096),
  started_at timestamptz not null,
  first_token_at timestamptz,
  ended_at timestamptz,
  primary key (tenant_id, generation_id, number)
);
comment on table app.attempts is 'Calls of providers: an answer has one, or more where a call failed and was made again, there or elsewhere.';
comment on column app.attempts.number is 'From 1, in the order of the calls.';
comment on column app.attempts.key_source is 'Whose key paid: the installation''s, or the tenant''s own.';
comment on column app.attempts.upstream_id is 'The provider''s id of the answer.';
comment on column app.attempts.ended_at is 'Null: the process that made the call was lost.';

-- What is kept of questions and answers: all of it, none, or all for some days.
alter table app.tenants
  add column content_retention text not null default 'full' check (content_retention in ('full', 'none', 'days')),
  add column content_days integer check (content_days between 1 and 36500),
  add column content_removed_until uuid,
  add constraint tenants_days_of_retention check ((content_retention = 'days') = (content_days is not null));
comment on column app.tenants.content_retention is 'Accounts of answers are kept in any case.';
comment on column app.tenants.content_removed_until is 'Messages up to this id have no content any more: their ids are in the order of time.';
-- For the removal of what is too old, across tenants.
create index tenants_of_days on app.tenants (id) where content_retention = 'days';
