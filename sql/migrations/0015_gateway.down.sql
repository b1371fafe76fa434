-- loses: attempts, requests and events of answers under /v1, what is kept of content
drop index app.tenants_of_days;
alter table app.tenants
  drop constraint tenants_days_of_retention,
  drop column content_removed_until,
  drop column content_days,
  drop column content_retention;
drop table app.attempts;
-- Lengths are of the log's entries: without it the text is one token.
alter table app.messages no force row level security;
alter table app.generations no force row level security;
update app.messages set token_lengths = case when response = '' then '{}' else array[char_length(response)] end where log is not null;
alter table app.messages drop column log, drop column request;
alter table app.messages force row level security;
update app.generations set source = 'messages' where source not in ('messages', 'messages.stream', 'rpc');
alter table app.generations force row level security;
drop index app.generations_leaving;
alter table app.generations
  drop constraint generations_source_check,
  add constraint generations_source_check check (source in ('messages', 'messages.stream', 'rpc')),
  drop column usage,
  drop column content;
