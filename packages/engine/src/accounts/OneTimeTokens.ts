import { PreTenantAccess, type FoundOneTimeToken } from "@llm-saas/database/PreTenantAccess"
import { TenantSql } from "@llm-saas/database/Tenancy"
import { type OneTimePurpose, OneTimeTokenId } from "@llm-saas/domain/OneTimeToken"
import { isOneTimeToken } from "@llm-saas/domain/OneTimeTokenText"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import type { Email } from "@llm-saas/domain/User"
import { Context, Duration, Effect, Layer, Option, Redacted, Schema } from "effect"
import { Digest, sha256 } from "effect/crypto/Digest"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { SqlSchema } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { OneTimeTexts } from "./OneTimeTexts.ts"

/** A token that is not stored yet: its id, and the SHA-256 of its text in hexadecimal. */
export interface DrawnToken {
  readonly id: OneTimeTokenId
  readonly hash: string
}

/**
 * Tokens of the links in mails: each good for one purpose, once, for a limited time. A token is consumed in the transaction of its deed,
 * by `auth.take_one_time_token` of `sql/functions/32_one_time_tokens.sql`, which takes the hash of {@link OneTimeTokens.hashOf}.
 */
export class OneTimeTokens extends Context.Service<
  OneTimeTokens,
  {
    /** For a function of `auth`, which stores it by `auth.new_one_time_token`. */
    readonly draw: Effect.Effect<DrawnToken>
    /**
     * Stores a new one in the room, and voids earlier ones for the same purpose and subject. `subject`: the user or the invitation. The
     * database lets users make them for their own address, and admins for invitations.
     */
    readonly issue: (token: {
      readonly purpose: OneTimePurpose
      readonly subject: string
      readonly address: Email
      readonly lifetime: Duration.Input
    }) => Effect.Effect<OneTimeTokenId, SqlError | Schema.SchemaError, TenantSql>
    /** Takes them back, in the room. */
    readonly revoke: (token: {
      readonly purpose: OneTimePurpose
      readonly subject: string
    }) => Effect.Effect<void, SqlError | Schema.SchemaError, TenantSql>
    /** The hash to look a text up by, in hexadecimal. None: it is no token's text. */
    readonly hashOf: (text: Redacted.Redacted) => Effect.Effect<Option.Option<string>>
    /** The token with this text, if it can be used still. It is not used by that. */
    readonly find: (
      text: Redacted.Redacted,
      purpose: OneTimePurpose
    ) => Effect.Effect<Option.Option<FoundOneTimeToken>, Unavailable>
  }
>()("@llm-saas/engine/accounts/OneTimeTokens") {
  static readonly layer = Layer.effect(
    OneTimeTokens,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const preTenant = yield* PreTenantAccess
  const texts = yield* OneTimeTexts
  const random = yield* SecureRandom
  const digest = yield* Digest

  const hash = (text: Redacted.Redacted) =>
    Effect.orDie(digest.digestHex(sha256, new TextEncoder().encode(Redacted.value(text))))

  const draw = Effect.gen(function* () {
    const id = OneTimeTokenId.make(yield* random.uuidV7())
    return { id, hash: yield* hash(texts.textOf(id)) }
  })

  const issue: OneTimeTokens["Service"]["issue"] = Effect.fn("OneTimeTokens.issue")(function* (token) {
    const { lifetime, purpose, subject } = token
    const { hash, id } = yield* draw
    yield* voidOpen({ purpose, subject })
    const seconds = Math.ceil(Duration.toSeconds(Duration.fromInputUnsafe(lifetime)))
    yield* insert({ id, hash, purpose, subject, address: token.address, seconds })
    return id
  })

  const hashOf: OneTimeTokens["Service"]["hashOf"] = (text) =>
    isOneTimeToken(Redacted.value(text)) ? Effect.asSome(hash(text)) : Effect.succeedNone

  const find: OneTimeTokens["Service"]["find"] = Effect.fn("OneTimeTokens.find")(function* (text, purpose) {
    const hash = yield* hashOf(text)
    return Option.isNone(hash) ? Option.none() : yield* preTenant.oneTimeToken(hash.value, purpose)
  })
  return OneTimeTokens.of({ draw, issue, revoke: voidOpen, hashOf, find })
})

const Key = { purpose: Schema.String, subject: Schema.String }

const voidOpen = SqlSchema.void({
  Request: Schema.Struct(Key),
  execute: ({ purpose, subject }) =>
    TenantSql.use(
      (sql) => sql`update app.one_time_tokens set voided_at = now()
        where tenant_id = app.tenant_id() and subject_id = ${subject} and purpose = ${purpose}
          and used_at is null and voided_at is null`
    )
})

const insert = SqlSchema.void({
  Request: Schema.Struct({
    ...Key,
    id: OneTimeTokenId,
    hash: Schema.String,
    address: Schema.String,
    seconds: Schema.Int
  }),
  execute: ({ address, hash, id, purpose, seconds, subject }) =>
    TenantSql.use(
      (sql) => sql`insert into app.one_time_tokens (tenant_id, id, purpose, subject_id, address, hash, expires_at)
        values (app.tenant_id(), ${id}, ${purpose}, ${subject}, ${address}, decode(${hash}::text, 'hex'),
          now() + make_interval(secs => ${seconds}::integer))`
    )
})
