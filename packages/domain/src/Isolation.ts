import { Schema } from "effect"

/** One thing that was looked at or tried, how often, and how often it was not as it should be. */
export class IsolationCheck extends Schema.Class<IsolationCheck>("IsolationCheck")({
  /** `rule`: PostgreSQL's catalogue says so. `trial`: it was tried, by somebody who must not get through. */
  kind: Schema.Literals(["rule", "trial"]),
  name: Schema.String,
  tried: Schema.Int,
  findings: Schema.Int
}) {}

/** Something that does not keep tenants apart, or could stop doing so. */
export class IsolationFinding extends Schema.Class<IsolationFinding>("IsolationFinding")({
  /** The name of the check. */
  check: Schema.String,
  /** The table, role, function or policy. */
  object: Schema.String,
  /** What is wrong with it, or what mends it. */
  detail: Schema.String
}) {}

/** Whether tenants are kept apart: what was looked at, what was tried, and what came of it. No tenant's data is in it. */
export class IsolationReport extends Schema.Class<IsolationReport>("IsolationReport")({
  /** Nothing was found. */
  ok: Schema.Boolean,
  checked_at: Schema.DateTimeUtcFromString,
  /** PostgreSQL's version. */
  server_version: Schema.String,
  /** The last migration. */
  schema_version: Schema.Int,
  /** As whom it was tried: the login that serves requests. */
  login: Schema.String,
  checks: Schema.Array(IsolationCheck),
  findings: Schema.Array(IsolationFinding),
  /** What was not looked at, and what is to be known beside. */
  notes: Schema.Array(Schema.String)
}) {}
