-- Outside the wall: the definer functions of work, which write what outlives a request. The grants say which columns, the functions
-- themselves ask for the lease.

create policy work_rows on app.generations for all to llm_work using (true) with check (true);
create policy work_rows on app.messages for all to llm_work using (true) with check (true);
create policy work_rows on app.generation_chunks for all to llm_work using (true) with check (true);
create policy work_rows on app.idempotent_answers for all to llm_work using (true) with check (true);
create policy work_rows on app.idempotency_keys for all to llm_work using (true) with check (true);
create policy work_rows on app.tracking_outbox for all to llm_work using (true) with check (true);
