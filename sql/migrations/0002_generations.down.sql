-- loses: conversations, questions, answers and the account of what was spent

drop table app.tracking_outbox;
drop table app.idempotency_keys;
drop table app.generation_chunks;
drop table app.generations;
drop table app.messages;
drop table app.conversations;
