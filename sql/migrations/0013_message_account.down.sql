-- Lists compute each account again.
alter table app.messages drop column account;
