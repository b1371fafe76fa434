import { Schema } from "effect"
import { allowed } from "./Limit.ts"
import { holding } from "./LimitInForce.ts"
import { Problem } from "./ProblemClass.ts"
import { Scope } from "./Scope.ts"
import { TenantId } from "./Tenant.ts"
import { isText, line, uuid } from "./Text.ts"
import { Role, UserId } from "./User.ts"

/** A key's id. It stays when the secret is rotated. We generate UUIDv7; any UUID is accepted, so that a foreign id is "not found". */
export const KeyId = Schema.String.check(uuid).pipe(Schema.brand("KeyId"))
export type KeyId = typeof KeyId.Type

/** One line, 1 to 200 characters. */
export const KeyName = line(200)

/** What a key may do: at least one scope, none twice. */
export const Scopes = Schema.Array(Scope).check(
  Schema.isMinLength(1, { expected: "at least one scope" }),
  Schema.isUnique({ expected: "no scope twice" })
)

const MOST_MODELS = 100

/** The models a key may ask, by name; null: all. */
export const Models = Schema.NullOr(
  Schema.Array(line(200)).check(Schema.isMaxLength(MOST_MODELS, { expected: `at most ${MOST_MODELS} models` }))
)

const MOST_ENTRIES = 16
const NAME = /^[A-Za-z0-9_.-]{1,64}$/u
const METADATA = `at most ${MOST_ENTRIES} texts of at most 512 characters, with names of 1 to 64 letters, digits, _, . and -`

const isMetadata = (metadata: { readonly [name: string]: string }): boolean => {
  const entries = Object.entries(metadata)
  return entries.length <= MOST_ENTRIES && entries.every(([name, text]) => NAME.test(name) && isShort(text))
}

const isShort = (text: string): boolean => isText(text) && text.length <= 1024 && [...text].length <= 512

/** The client's own notes about a key. */
export const Metadata = Schema.Record(Schema.String, Schema.String).check(
  Schema.makeFilter((metadata) => (isMetadata(metadata) ? undefined : `Expected ${METADATA}`), {
    expected: METADATA,
    toJsonSchema: () => ({
      maxProperties: MOST_ENTRIES,
      propertyNames: { pattern: NAME.source },
      additionalProperties: { type: "string", maxLength: 512, pattern: "^[^\\u0000]*$" }
    })
  })
)

/** Whom a key acts as. */
export const Owner = Schema.Struct({ kind: Schema.Literals(["user", "service_account"]), id: UserId })

const fields = {
  id: KeyId,
  tenant_id: TenantId,
  owner: Owner,
  name: KeyName,
  /** How the key begins. The secret is shown once, when it is made. */
  begins_with: Schema.String,
  scopes: Scopes,
  models: Models,
  metadata: Metadata,
  status: Schema.Literals(["active", "disabled", "expired"]),
  created_at: Schema.DateTimeUtcFromString,
  expires_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  disabled_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  rotated_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  /** How long the secret before the last rotation works; null: not any more. */
  previous_until: Schema.NullOr(Schema.DateTimeUtcFromString),
  /** To the minute; null: never. */
  last_used_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  /** Its own. Those of the plan, its user and its tenant hold beside them: `GET /limits`. */
  ...allowed
}

/** A key, without its secret. */
export class ApiKey extends Schema.Class<ApiKey>("ApiKey")(fields) {}

/** A key with its secret, which is shown this once. */
export class NewApiKey extends Schema.Class<NewApiKey>("NewApiKey")({
  ...fields,
  /** Null where an earlier request with the same Idempotency-Key made it: the secret was in its answer, and is stored nowhere. */
  key: Schema.NullOr(Schema.String)
}) {}

const Spent = Schema.Struct({
  requests: Schema.Int,
  tokens_in: Schema.Int,
  tokens_out: Schema.Int,
  /** US dollars; null where a price is not known. */
  cost_usd: Schema.NullOr(Schema.Finite)
}).annotate({ identifier: "KeyUsage" })

/** The key of a request, and what was asked with it, by calendar days and months in UTC. */
export class CurrentKey extends Schema.Class<CurrentKey>("CurrentKey")({
  ...fields,
  usage: Schema.Struct({ today: Spent, this_month: Spent }),
  /** Of the limits of the key, its own or the plan's; null: it has none. Those of its user and tenant: `GET /limits`. */
  left: Schema.NullOr(Schema.Struct(holding).annotate({ identifier: "KeyLeft" }))
}) {}

/** A program of a tenant, whose keys belong to no person. It acts as a user of its own. */
export class ServiceAccount extends Schema.Class<ServiceAccount>("ServiceAccount")({
  id: UserId,
  tenant_id: TenantId,
  name: KeyName,
  role: Role,
  created_at: Schema.DateTimeUtcFromString,
  ...allowed
}) {}

/** The key does not exist, or is not one that the caller may see: both get the same answer. */
export class KeyNotFound extends Problem<KeyNotFound>()("KeyNotFound", "key_not_found", {}) {}

/** The service account does not exist in the caller's tenant. */
export class ServiceAccountNotFound extends Problem<ServiceAccountNotFound>()(
  "ServiceAccountNotFound",
  "service_account_not_found",
  {}
) {}
