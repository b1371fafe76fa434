-- advisory_lock fires, and falls silent when the fault is mended.
begin;

create function app.notes_lock() returns void language plpgsql as 'begin perform pg_try_advisory_xact_lock(1); end';
create function app.notes_lock_too() returns void language sql begin atomic select pg_advisory_xact_lock(hashtextextended('x', 0)); end;

do $$ begin
  assert array(select object from lint.advisory_lock order by object collate "C") = array['app.notes_lock()', 'app.notes_lock_too()'],
    format('advisory_lock found %s', array(select object from lint.advisory_lock));
end $$;

drop function app.notes_lock(), app.notes_lock_too();
create function app.notes_lock() returns void language plpgsql as 'begin perform from app.tenants for update; end';

do $$ begin
  assert not exists (select from lint.advisory_lock),
    format('advisory_lock still finds %s', array(select object from lint.advisory_lock));
end $$;

rollback;
