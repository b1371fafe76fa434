import { Tenancy } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import type { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import {
  Invitation,
  INVITATION_DAYS,
  InvitationEnded,
  InvitationId,
  InvitationNotFound
} from "@llm-saas/domain/Invitation"
import { type Page, page } from "@llm-saas/domain/Page"
import type { Refused, TooManyRequests } from "@llm-saas/domain/Refusal"
import { type TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { type Email, EmailTaken, type Role } from "@llm-saas/domain/User"
import { Context, Duration, Effect, Layer, Option } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as AuditLog from "../AuditLog.ts"
import { type Attempt, earlier, once } from "../Idempotency.ts"
import { InvitationLimit } from "./InvitationLimit.ts"
import * as Queries from "./InvitationQueries.ts"
import { Mails } from "./Mails.ts"
import { OneTimeTokens } from "./OneTimeTokens.ts"

/** How long the link in the mail is good: as long as the invitation. */
const LIFETIME = Duration.days(INVITATION_DAYS)

/** An invitation of a tenant, as its admins name it. */
interface Named {
  readonly tenant: TenantId
  readonly id: InvitationId
}

/** A tenant's invitations, as its admins manage them. A tenant that is not the actor's is not found. */
export class Invitations extends Context.Service<
  Invitations,
  {
    /** Sends a link to the address. An open invitation of the address is changed, and its earlier link ends. */
    readonly invite: (invitation: {
      readonly tenant: TenantId
      readonly email: Email
      readonly role: Role
      readonly attempt?: Attempt | undefined
    }) => Effect.Effect<
      Invitation,
      TenantNotFound | EmailTaken | IdempotencyMismatch | TooManyRequests | Refused,
      Actor
    >
    /** Newest first, whatever came of them. */
    readonly list: (
      tenant: TenantId,
      at: { readonly limit: number; readonly cursor: string | undefined }
    ) => Effect.Effect<Page<Invitation>, TenantNotFound | Refused, Actor>
    /** Sends a new link, in the actor's name; the earlier one ends. */
    readonly resend: (
      named: Named
    ) => Effect.Effect<
      Invitation,
      TenantNotFound | InvitationNotFound | InvitationEnded | EmailTaken | TooManyRequests | Refused,
      Actor
    >
    /** Its link ends. */
    readonly revoke: (
      named: Named
    ) => Effect.Effect<void, TenantNotFound | InvitationNotFound | InvitationEnded | Refused, Actor>
  }
>()("@llm-saas/engine/accounts/Invitations") {
  static readonly layer = Layer.effect(
    Invitations,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const tenancy = yield* Tenancy
  const limit = yield* InvitationLimit
  const tokens = yield* OneTimeTokens
  const mails = yield* Mails
  const random = yield* SecureRandom
  const record = AuditLog.recorder(random)

  /** In the room: the new link, and the mail with it. */
  const send = Effect.fnUntraced(function* (row: typeof Queries.InvitationRow.Type, inviter: string) {
    const token = yield* tokens.issue({
      purpose: "invitation",
      subject: row.id,
      address: row.email,
      lifetime: LIFETIME
    })
    const content = { template: "invitation", inviter, role: row.role } as const
    yield* mails.write({ address: row.email, subject: undefined, content, token })
    return new Invitation(row)
  })

  /** In the room, as an admin: a foreign tenant has no invitations there. */
  const own = Effect.fnUntraced(function* (tenant: TenantId) {
    const { tenantId } = yield* Actor
    if (tenant.toLowerCase() !== tenantId) return yield* new TenantNotFound({})
  })

  /** In the room: who invites. */
  const standing = Effect.fnUntraced(function* (email: Email) {
    const { inviter, taken } = yield* Effect.catchTag(Queries.selectStanding(email), "NoSuchElementError", Effect.die)
    return taken ? yield* new EmailTaken({}) : inviter
  })

  const invite: Invitations["Service"]["invite"] = Effect.fn("Invitations.invite")(function* (invitation) {
    const { attempt, email, role, tenant } = invitation
    // Before it is counted: a caller who may not invite uses up nothing.
    const known = yield* tenancy.transaction(
      Effect.gen(function* () {
        yield* own(tenant)
        const known = attempt === undefined ? Option.none<Invitation>() : yield* earlier(attempt, Invitation)
        if (Option.isNone(known)) yield* standing(email)
        return known
      })
    )
    if (Option.isSome(known)) return known.value
    yield* limit.count(tenant, email)
    const id = InvitationId.make(yield* random.uuidV7())
    const make = Effect.gen(function* () {
      const inviter = yield* standing(email)
      const row = yield* Effect.catchTag(Queries.upsert({ id, email, role }), "NoSuchElementError", Effect.die)
      yield* record(
        row.id === id ? "invitation.created" : "invitation.changed",
        { kind: "invitation", id: row.id },
        { role }
      )
      return yield* send(row, inviter)
    })
    return yield* tenancy.transaction(attempt === undefined ? make : once(attempt, Invitation, make))
  })

  const list: Invitations["Service"]["list"] = Effect.fn("Invitations.list")(function* (tenant, { cursor, limit }) {
    const rows = yield* tenancy.read(Queries.newestFirst({ after: cursor ?? null, limit: limit + 1 }))
    yield* own(tenant)
    return page(
      rows.map((row) => new Invitation(row)),
      limit
    )
  })

  const resend: Invitations["Service"]["resend"] = Effect.fn("Invitations.resend")(function* ({ id, tenant }) {
    const { email } = yield* tenancy.transaction(
      Effect.gen(function* () {
        yield* own(tenant)
        return yield* openOne(id)
      })
    )
    yield* limit.count(tenant, email)
    return yield* tenancy.transaction(
      Effect.gen(function* () {
        const inviter = yield* standing(email)
        const row = yield* Queries.renew(id)
        if (Option.isNone(row)) return yield* new InvitationEnded({})
        yield* record("invitation.resent", { kind: "invitation", id })
        return yield* send(row.value, inviter)
      })
    )
  })

  const revoke: Invitations["Service"]["revoke"] = Effect.fn("Invitations.revoke")(({ id, tenant }) =>
    tenancy.transaction(
      Effect.gen(function* () {
        yield* own(tenant)
        if (Option.isNone(yield* Queries.revoke(id))) return yield* endedOrNone(id)
        yield* tokens.revoke({ purpose: "invitation", subject: id })
        yield* record("invitation.revoked", { kind: "invitation", id })
      })
    )
  )
  return Invitations.of({ invite, list, resend, revoke })
})

const openOne = Effect.fnUntraced(function* (id: InvitationId) {
  const row = yield* Queries.selectOne(id)
  if (Option.isNone(row)) return yield* new InvitationNotFound({})
  return ENDED.has(row.value.status) ? yield* new InvitationEnded({}) : row.value
})
const ENDED: ReadonlySet<string> = new Set(["accepted", "revoked"])

const endedOrNone = Effect.fnUntraced(function* (id: InvitationId) {
  yield* openOne(id)
  // It ended between the two statements.
  return yield* new InvitationEnded({})
})
