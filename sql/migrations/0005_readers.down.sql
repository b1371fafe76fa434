-- loses: who was let in to read with psql, and why

-- The logins are roles, and the owner of the tables may not drop those: without their rows nobody would know whose they are.
do $$
begin
  if exists (select from meta.readers where revoked_at is null and to_regrole(quote_ident(role)) is not null) then
    raise exception 'there are logins that read with psql: %', (
      select string_agg(role, ', ') from meta.readers where revoked_at is null and to_regrole(quote_ident(role)) is not null
    ) using hint = 'Take them away first: audit:revoke with --role NAME';
  end if;
end $$;

drop table meta.readers;
