-- loses: tenants' own keys at providers
drop table app.provider_keys;
drop table app.tenant_keys;
