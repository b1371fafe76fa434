-- loses: tenants' single sign-on, and which accounts belong to whom there
drop table meta.spent;
drop table meta.sso_domains;
drop table meta.sso_slugs;
drop table app.sso_identities;
drop table app.sso_connections;
