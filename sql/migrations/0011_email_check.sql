-- The same rule, written so that PostgreSQL reads back what it wrote: of `between … and` beside others, a dump and its restore made another
-- text, and a restored database could not be compared with a new one.
alter table app.users
  drop constraint users_email_check,
  add constraint users_email_check
    check (char_length(email) >= 3 and char_length(email) <= 254 and email ~ '^[^@ ]+@[^@ ]+$' and email !~ '[A-Z]');
