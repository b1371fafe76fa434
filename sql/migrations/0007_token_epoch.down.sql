-- Tokens of users who have changed their password end: which of their epochs a token was of, its `iat` does not say.

alter table app.users add column tokens_valid_after timestamptz not null default '-infinity';
alter table app.users no force row level security;
update app.users set tokens_valid_after = now() where token_epoch > 0;
alter table app.users drop column token_epoch;

comment on column app.users.tokens_valid_after is 'Tokens issued in an earlier second are refused. A password change moves it.';
