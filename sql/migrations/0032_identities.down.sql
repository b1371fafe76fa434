-- loses: ids of identities, which are in answers only
alter table app.sso_identities drop column id;
