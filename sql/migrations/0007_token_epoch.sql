-- breaking
-- A token names the epoch of its user's tokens, and a password change begins a new one: two numbers are compared, and no two clocks.
-- app.enter, app.ask and app.own_profile take the epoch where they took the token's `iat`.
-- Tokens from before this migration name none, which counts as 0: those of users who have changed their password end here.

alter table app.users add column token_epoch integer not null default 0;

-- The owner has to see every row. The policies are away, and the wall comes back with them.
alter table app.users no force row level security;
update app.users set token_epoch = 1 where tokens_valid_after > '-infinity';
alter table app.users drop column tokens_valid_after;

comment on column app.users.token_epoch is 'Tokens of every other epoch are refused. A password change raises it by one.';
