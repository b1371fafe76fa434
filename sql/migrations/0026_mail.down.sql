-- loses: mails that are not sent yet, links in mails, which addresses are verified
alter table app.users drop column email_verified_at;
drop table app.mails;
drop table app.one_time_tokens;
