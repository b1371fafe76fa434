-- What providers take, US dollars. No tenant's data.

create table operator.prices (
  id uuid primary key default gen_random_uuid(),
  provider text not null check (char_length(provider) between 1 and 100),
  model text not null check (char_length(model) between 1 and 200),
  unit text not null check (unit in (
    'input', 'cache_read', 'cache_write', 'cache_write_1h', 'input_audio', 'input_image', 'output', 'reasoning', 'output_audio', 'searches', 'requests'
  )),
  service_tier text not null default 'standard' check (service_tier ~ '^[a-z0-9_-]{1,40}$'),
  tier_start integer not null default 0 check (tier_start >= 0),
  per integer not null default 1000000 check (per in (1, 1000, 1000000)),
  amount numeric not null check (amount >= 0 and amount < 1e9 and scale(amount) <= 18),
  minutes int4range not null default '[0,1440)' check (minutes <@ int4range(0, 1440) and not isempty(minutes)),
  valid tstzrange not null,
  source text not null check (char_length(source) between 1 and 100),
  seeded boolean not null default false,
  added_at timestamptz not null default now(),
  -- A hash stands for what is equal, because a range of numbers can be indexed beside other ranges without an extension. Two prices whose
  -- hashes are the same by chance would be refused, and nothing worse.
  key bigint not null generated always as (
    hashtextextended(quote_literal(provider) || quote_literal(model) || unit || ' ' || service_tier || ' ' || tier_start::text || ' ' || seeded::text, 0)
  ) stored,
  -- At any time one: of those that came with the program, and of the operator's own, which count instead.
  constraint prices_one_at_a_time exclude using gist (int8range(key, key, '[]') with =, minutes with &&, valid with &&)
);
comment on table operator.prices is 'Never deleted, and never changed but for its end: what an answer cost stays what it was.';
comment on column operator.prices.unit is 'What is paid for; each token is counted in one.';
comment on column operator.prices.tier_start is 'It is paid for all tokens of a request with more tokens of input than these.';
comment on column operator.prices.per is 'The amount is for so many. A power of ten, so that the price of one is exact.';
comment on column operator.prices.minutes is 'Of the day, in UTC.';
comment on column operator.prices.seeded is 'Whether it came with the program, from sql/seed/prices.jsonl.';
create index prices_of_model on operator.prices (provider, model);

create table operator.price_providers (
  provider text primary key check (char_length(provider) between 1 and 100),
  url text not null check (char_length(url) <= 500),
  others text[] not null default '{}'
);
comment on table operator.price_providers is 'Replaced with each new seed.';
comment on column operator.price_providers.url is 'A regular expression that the addresses of the provider begin with.';
comment on column operator.price_providers.others is 'Providers whose models it offers at their prices.';

create table operator.price_names (
  provider text not null,
  model text not null,
  position integer not null,
  match jsonb not null check (jsonb_typeof(match) = 'object'),
  primary key (provider, model)
);
comment on table operator.price_names is 'Which names mean a model: the first rule of its provider that fits. Replaced with each new seed.';

-- One row. What changes a price raises it, so that processes see that they have to read the prices again.
create table operator.price_revision (
  revision bigint not null,
  seed_hash text,
  one boolean primary key default true check (one)
);
insert into operator.price_revision (revision) values (1);
