-- Who may delete what: users and admins the conversations and messages they see, admins the users. Called by the policy on app.deletions,
-- behind the wall. A function, since policies on those tables read app.deletions themselves.
create function app.may_delete(p_tenant uuid, p_id uuid, p_kind text, p_user uuid) returns boolean
  language plpgsql stable
as $$
begin
  case p_kind
    when 'message' then
      return exists (select from app.messages m where m.tenant_id = p_tenant and m.id = p_id and m.user_id = p_user);
    when 'conversation' then
      return exists (select from app.conversations c where c.tenant_id = p_tenant and c.id = p_id and c.user_id = p_user);
    when 'user' then
      return app.role() = 'admin' and p_id = p_user
        and exists (select from app.users u where u.tenant_id = p_tenant and u.id = p_id);
    else
      return false;
  end case;
end $$;

-- Whether a limit of this subject (see app.limits) holds for the current user. Called by policies, behind the wall.
create function app.holds_for_me(p_subject text) returns boolean
  language sql stable
begin atomic
  select p_subject in ('tenant', 'user', 'key', 'user:' || app.user_id()) or p_subject like 'model:%'
    or p_subject like 'key:%' and exists (
      select from app.api_keys k where k.tenant_id = app.tenant_id() and k.id = substr(p_subject, 5)::uuid and k.user_id = app.user_id()
    );
end;
