alter table app.users
  drop constraint users_email_check,
  add constraint users_email_check
    check (char_length(email) between 3 and 254 and email ~ '^[^@ ]+@[^@ ]+$' and email !~ '[A-Z]');
