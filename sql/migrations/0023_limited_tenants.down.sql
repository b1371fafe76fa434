alter table app.tenants drop column limited;
