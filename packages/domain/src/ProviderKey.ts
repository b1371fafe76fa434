import { Schema } from "effect"
import { KeyName, Models } from "./ApiKey.ts"
import { Problem } from "./ProblemClass.ts"
import { TenantId } from "./Tenant.ts"
import { line, uuid } from "./Text.ts"

/** The id of a tenant's key at a provider. We generate UUIDv7; any UUID is accepted, so that a foreign id is "not found". */
export const ProviderKeyId = Schema.String.check(uuid).pipe(Schema.brand("ProviderKeyId"))
export type ProviderKeyId = typeof ProviderKeyId.Type

/** The name of a provider in the installation's configuration. */
export const ProviderName = line(100)

const MOST_CHARACTERS = 1000
/** At most {@link MOST_CHARACTERS}. */
const KEY = /^[\x21-\x7e]{1,1000}$/u
const EXPECTED = `a key of 1 to ${MOST_CHARACTERS} visible ASCII characters, without spaces`

/** A key at a provider, as it is sent in a header. */
export const ProviderSecret = Schema.String.check(
  Schema.makeFilter((text) => (KEY.test(text) ? undefined : `Expected ${EXPECTED}`), {
    expected: EXPECTED,
    toJsonSchema: () => ({ minLength: 1, maxLength: MOST_CHARACTERS, pattern: KEY.source })
  })
).pipe(Schema.RedactedFromValue)

/** A tenant's key at a provider, without the key. */
export class ProviderKey extends Schema.Class<ProviderKey>("ProviderKey")({
  id: ProviderKeyId,
  tenant_id: TenantId,
  provider: ProviderName,
  name: KeyName,
  /** The models that it is used for, as clients name them; null: all. */
  models: Models,
  /** `unreadable`: it cannot be decrypted with the installation's keys. Questions that need it fail. */
  status: Schema.Literals(["active", "disabled", "unreadable"]),
  created_at: Schema.DateTimeUtcFromString,
  disabled_at: Schema.NullOr(Schema.DateTimeUtcFromString)
}) {}

/** The tenant has no such key. */
export class ProviderKeyNotFound extends Problem<ProviderKeyNotFound>()(
  "ProviderKeyNotFound",
  "provider_key_not_found",
  {}
) {}

/** There is no provider of this name that takes keys of tenants. */
export class ProviderNotFound extends Problem<ProviderNotFound>()("ProviderNotFound", "provider_not_found", {}) {}
