-- Prices of providers: that they stay what they were, and what a process reads of them.

-- A price ends and does not change. One that would begin later may be taken back: then it holds never.
create function app.price_ends_only() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and new.valid <@ old.valid and (isempty(new.valid) or lower(new.valid) is not distinct from lower(old.valid))
    and (isempty(old.valid) or not isempty(new.valid) or lower(old.valid) >= now())
    and (isempty(new.valid) or new.valid = old.valid or upper(new.valid) >= now())
    -- key is made of the others afterwards.
    and (to_jsonb(new) - '{valid,key}'::text[]) = (to_jsonb(old) - '{valid,key}'::text[])
  then
    return new;
  end if;
  raise exception '% of %.% is refused: a price only ends, and not in the past', tg_op, tg_table_schema, tg_table_name using errcode = '42501';
end $$;

create trigger ends_only before update or delete on operator.prices for each row execute function app.price_ends_only();
create trigger ends_only_truncate before truncate on operator.prices for each statement execute function app.price_ends_only();

set local role llm_work;

create function work.price_changed() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update operator.price_revision r set revision = r.revision + 1;
  return null;
end $$;

-- Higher after every change.
create function work.price_revision() returns bigint
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return (select r.revision from operator.price_revision r);

-- What a process needs of the prices: those that hold now or later, and those that ended in the last two days, which an answer under way
-- may have begun with. Times are in milliseconds since 1970.
create function work.price_book(out revision bigint, out providers text, out models text)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  revision := (select r.revision from operator.price_revision r);
  providers := (
    select coalesce(json_agg(json_build_object('provider', p.provider, 'url', p.url, 'others', p.others) order by p.provider), '[]')
    from operator.price_providers p
  );
  models := (
    select coalesce(json_agg(json_build_object('provider', m.provider, 'model', m.model, 'match', n.match, 'prices', m.prices)
      order by m.provider, n.position, m.model), '[]')
    from (
      select p.provider, p.model, json_agg(json_build_object(
          'id', p.id, 'unit', p.unit, 'service_tier', p.service_tier, 'tier_start', p.tier_start, 'per', p.per, 'amount', p.amount::text,
          'seeded', p.seeded, 'since', extract(epoch from nullif(lower(p.valid), '-infinity')) * 1000,
          'until', extract(epoch from nullif(upper(p.valid), 'infinity')) * 1000,
          'first_minute', lower(p.minutes), 'last_minute', upper(p.minutes)
        ) order by p.unit, p.service_tier, p.tier_start, p.valid) as prices
      from operator.prices p
      where not isempty(p.valid) and (upper_inf(p.valid) or upper(p.valid) > now() - interval '2 days')
      group by p.provider, p.model
    ) m
    left join operator.price_names n on n.provider = m.provider and n.model = m.model
  );
end $$;

-- The owner of a trigger must be allowed to call its function; the role that fires it need not be.
grant execute on function work.price_changed() to llm_owner;
set local role llm_owner;

create trigger changed after insert or update on operator.prices for each statement execute function work.price_changed();
create trigger changed after insert or update or delete on operator.price_names for each statement execute function work.price_changed();
create trigger changed after insert or update or delete on operator.price_providers for each statement execute function work.price_changed();
