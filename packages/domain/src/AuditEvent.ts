import { Schema } from "effect"
import { uuid } from "./Text.ts"

const Id = Schema.String.check(uuid)

/**
 * Who did it. `operator`: who runs the installation. `nobody`: a deed of no one, such as a failed login or an alert. `id` is a user's or a
 * service account's; `email` or `name` is known while they exist.
 */
export const AuditActor = Schema.Struct({
  kind: Schema.Literals(["user", "service_account", "operator", "nobody"]),
  id: Schema.NullOr(Id),
  email: Schema.NullOr(Schema.String),
  name: Schema.NullOr(Schema.String),
  /** The API key it was done with; null: none. */
  key: Schema.NullOr(Schema.Struct({ id: Id, name: Schema.NullOr(Schema.String) }))
}).annotate({ identifier: "AuditActor" })

/** What it was done to. `name`: a user's address or a key's name, while it exists. */
export const AuditSubject = Schema.Struct({
  kind: Schema.String,
  id: Schema.NullOr(Id),
  name: Schema.NullOr(Schema.String)
}).annotate({ identifier: "AuditSubject" })

/** Something that was done in a tenant. It has no content and no secret, and never changes. */
export class AuditEvent extends Schema.Class<AuditEvent>("AuditEvent")({
  id: Id,
  at: Schema.DateTimeUtcFromString,
  /** Such as `session.begun`. */
  type: Schema.String,
  actor: AuditActor,
  subject: Schema.NullOr(AuditSubject),
  /** Of the request, as in the log; null: there was none. */
  request_id: Schema.NullOr(Schema.String),
  /** Of the session that it is about, where that was seen last; null where there is none, or it is not kept any more. */
  address: Schema.NullOr(Schema.String),
  details: Schema.Record(Schema.String, Schema.Json)
}) {}

const TYPE = "a type such as session.begun, or a beginning such as session."

/** Which events: a type, or all that begin so, where it ends with a dot. */
export const AuditType = Schema.String.check(
  Schema.isPattern(/^[a-z_]{1,40}(?:\.(?:[a-z_]{1,40}\.?){0,2})?$/u, { expected: TYPE })
)
