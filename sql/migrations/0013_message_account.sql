-- The account of a message's answer as the contract has it, written at the answer's end: a list reads it as it is. Null until then, and for
-- answers of before: then it is computed (app.account_of). A migration that changes what the contract says of an account sets it to null.
alter table app.messages add column account text;
