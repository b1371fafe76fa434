-- loses: which other accounts a session may lead to; their passwords are asked for again
drop table meta.proven_accounts;
