-- loses: prices
drop table operator.price_revision;
drop table operator.price_names;
drop table operator.price_providers;
drop table operator.prices;
