-- Questions with tools and attachments at our own door, and conversations with a model and instructions of their own.

alter table app.messages add column tool_calls text;
comment on column app.messages.request is
  'The body of a request under /v1 as it was sent, or of a question with more than its text and model, JSON. Null: content is all of it.';
comment on column app.messages.tool_calls is
  'The tools that a whole answer calls, JSON as the contract has it: a list of {id, name, arguments}. Null: it calls none.';

alter table app.conversations
  add column model text check (char_length(model) between 1 and 200),
  add column system text check (char_length(system) between 1 and 100000);
comment on column app.conversations.model is 'The model of questions that name none. Null: the default one.';
comment on column app.conversations.system is 'The instructions of questions that have none of their own.';
