-- loses: models and instructions of conversations, calls of tools in lists of messages
alter table app.conversations drop column system, drop column model;
alter table app.messages drop column tool_calls;
comment on column app.messages.request is 'The body of a request under /v1 as it was sent, JSON. Null: content is all of it.';
