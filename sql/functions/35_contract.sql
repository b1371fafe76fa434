-- Values as the contract (packages/api) writes them in JSON.

-- A time as the contract writes it: UTC, with milliseconds.
create function app.contract_time(p_time timestamptz) returns text language sql stable parallel safe
  return to_char(p_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- The milliseconds from one time to another, to a tenth.
create function app.milliseconds_to(p_end timestamptz, p_begin timestamptz) returns float8 language sql stable parallel safe
  return round(date_part('epoch', p_end - p_begin) * 10000) / 10;

-- The account of an answer: members of a JSON object. Written as text: row_to_json looks up every column's type for every row, 8 µs a row
-- instead of 2.
create function app.account_members(
  p_generation uuid, p_model text, p_status text, p_finish_reason text, p_failure text, p_tokens_in integer, p_tokens_out integer,
  p_approx_tokens_in integer, p_approx_tokens_out integer, p_created timestamptz, p_first_token timestamptz, p_model_ended timestamptz
) returns text language sql stable parallel safe
  return concat(
    '"generation_id":"', p_generation, '","model":', to_json(p_model), ',"status":"', p_status,
    '","finish_reason":', coalesce('"' || p_finish_reason || '"', 'null'), ',"failure":', coalesce(to_json(p_failure)::text, 'null'),
    ',"tokens_in":', coalesce(p_tokens_in::text, 'null'), ',"tokens_out":', coalesce(p_tokens_out::text, 'null'),
    ',"approx_tokens_in":', coalesce(p_approx_tokens_in::text, 'null'), ',"approx_tokens_out":', coalesce(p_approx_tokens_out::text, 'null'),
    ',"latency_ms":', coalesce(app.milliseconds_to(p_model_ended, p_created)::text, 'null'),
    ',"ttft_ms":', coalesce(app.milliseconds_to(p_first_token, p_created)::text, 'null'),
    ',"created_at":"', app.contract_time(p_created), '"'
  );
