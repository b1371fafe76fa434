import { Schema } from "effect"

/** One rule or trial, how often it was checked, and how often it failed. */
export class IsolationCheck extends Schema.Class<IsolationCheck>("IsolationCheck")({
  /** `rule`: read from PostgreSQL's catalogue. `trial`: a forbidden access was tried and must be refused. */
  kind: Schema.Literals(["rule", "trial"]),
  name: Schema.String,
  tried: Schema.Int,
  findings: Schema.Int
}) {}

/** An object that does not separate tenants, or could stop doing so. */
export class IsolationFinding extends Schema.Class<IsolationFinding>("IsolationFinding")({
  /** The name of the check. */
  check: Schema.String,
  /** The table, role, function or policy. */
  object: Schema.String,
  /** What is wrong with it, or how to correct it. */
  detail: Schema.String
}) {}

/** Whether tenants are kept apart: the rules, the trials and their findings. No tenant's data is in it. */
export class IsolationReport extends Schema.Class<IsolationReport>("IsolationReport")({
  /** There are no findings. */
  ok: Schema.Boolean,
  checked_at: Schema.DateTimeUtcFromString,
  /** PostgreSQL's version. */
  server_version: Schema.String,
  /** The last migration. */
  schema_version: Schema.Int,
  /** The login the trials used: the one that serves requests. */
  login: Schema.String,
  checks: Schema.Array(IsolationCheck),
  findings: Schema.Array(IsolationFinding),
  /** What was not checked, and other remarks. */
  notes: Schema.Array(Schema.String)
}) {}
