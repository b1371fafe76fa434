-- What is marked is removed now: nobody who deleted something gets it back. This cascades over all of it, and takes as long as that takes.
alter table app.users no force row level security;
alter table app.conversations no force row level security;
alter table app.messages no force row level security;
alter table app.deletions no force row level security;

delete from app.messages m using app.deletions d where d.tenant_id = m.tenant_id and d.id = m.id;
delete from app.conversations c using app.deletions d where d.tenant_id = c.tenant_id and d.id = c.id;
delete from app.users where deleted_at is not null;

drop table app.deletions;
alter table app.generation_chunks drop column message_id, drop column conversation_id;
drop index app.users_admins;
drop index app.users_tenant_id_email_key;
alter table app.users drop column deleted_at, add unique (tenant_id, email);
drop table meta.locks;
