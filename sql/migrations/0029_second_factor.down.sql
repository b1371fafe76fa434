-- loses: second factors and recovery codes, so that a password suffices again; what tenants ask of logins
drop table app.login_challenges;
drop table app.recovery_codes;
drop table app.totp_secrets;
drop table app.factors;
alter table app.tenants drop column second_factor, drop column second_factor_after_sso, drop column tenant_switch;
