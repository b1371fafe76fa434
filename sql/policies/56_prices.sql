-- Prices, which no tenant's data are in, are read by the functions of llm_work too.
create policy price_rows on operator.prices for select to llm_work using (true);
create policy price_rows on operator.price_names for select to llm_work using (true);
create policy price_rows on operator.price_providers for select to llm_work using (true);
create policy price_rows on operator.price_revision for all to llm_work using (true) with check (true);
