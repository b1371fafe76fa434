-- Outside the wall: the definer functions of tracking, which read ended generations. The grants say which columns.

create policy tracking_rows on app.generations for all to llm_tracking using (true) with check (true);
create policy tracking_rows on app.attempts for select to llm_tracking using (true);
create policy tracking_rows on app.messages for select to llm_tracking using (true);
create policy tracking_rows on app.tracking_outbox for all to llm_tracking using (true) with check (true);
create policy tracking_rows on app.feedback for all to llm_tracking using (true) with check (true);
