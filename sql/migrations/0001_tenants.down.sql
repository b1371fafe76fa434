-- loses: everything: tenants, users, passwords and the audit log

drop table app.audit_events;
drop table app.credentials;
drop table app.users;
drop table app.tenants;
