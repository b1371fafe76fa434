import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { ProvenAccounts } from "@llm-saas/database/ProvenAccounts"
import { Actor } from "@llm-saas/domain/Actor"
import type { SecondFactorRequired } from "@llm-saas/domain/Factor"
import { Membership, SessionRequired } from "@llm-saas/domain/Membership"
import { InvalidCredentials, type Refused, type TooManyRequests } from "@llm-saas/domain/Refusal"
import { type TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { Accounts } from "@llm-saas/engine/accounts/Accounts"
import { Context, Effect, Layer, type Redacted } from "effect"
import { AddressLimit } from "./AddressLimit.ts"
import type { Sender } from "../config/ClientNetworks.ts"
import { Settings } from "../config/Settings.ts"
import { SecretKey } from "./SecretKey.ts"
import type { Form, TokenAnswer } from "./SessionAnswers.ts"
import { Sessions } from "./Sessions.ts"

interface List {
  readonly data: ReadonlyArray<Membership>
}

/** How often one session may switch in a window (LOGIN_WINDOW_MINUTES): each time is a new session, which costs no password's hash. */
const SWITCHES = 60

/**
 * One person, several tenants. A session may lead to accounts of the same address in other tenants, once the password of each was given in
 * it: an equal address alone proves nothing, since an admin can make an account with another's. What is opened is a session of its own, of
 * that tenant alone, and ends no later than the one it was opened from: else two of them could renew each other for ever.
 */
export class TenantSwitch extends Context.Service<
  TenantSwitch,
  {
    readonly list: Effect.Effect<List, Refused, Actor>
    /** Proves an account, as a login does. */
    readonly add: (
      account: { readonly tenant_id: TenantId; readonly password: Redacted.Redacted<string> },
      from: Sender
    ) => Effect.Effect<List, InvalidCredentials | SessionRequired | TooManyRequests | Refused, Actor>
    /** Begins a session of the account in this tenant. Stops for a second factor, where a login there would. */
    readonly open: (
      tenant: TenantId,
      want: Exclude<Form, "none">,
      from: Sender
    ) => Effect.Effect<
      TokenAnswer,
      TenantNotFound | SessionRequired | SecondFactorRequired | TooManyRequests | Refused,
      Actor
    >
  }
>()("@llm-saas/server/auth/TenantSwitch") {
  static readonly layer = Layer.effect(
    TenantSwitch,
    Effect.suspend(() => make)
  ).pipe(Layer.provide(ProvenAccounts.layer))
}

const make = Effect.gen(function* () {
  const settings = yield* Settings
  const accounts = yield* Accounts
  const proven = yield* ProvenAccounts
  const sessions = yield* Sessions
  const limit = new AddressLimit({
    name: "tenant switch",
    limit: SWITCHES,
    windowMs: settings.LOGIN_WINDOW_MINUTES * 60_000,
    secret: (yield* SecretKey).value,
    access: yield* PreTenantAccess
  })

  /** The session of the request, which the room has let in. */
  const ownSession = Effect.gen(function* () {
    const { session, tenantId } = yield* Actor
    if (session === undefined) return yield* new SessionRequired({})
    return { tenantId, sessionId: session }
  })

  const list = Effect.gen(function* () {
    const { session, tenantId } = yield* Actor
    const { id, role, tenant } = yield* accounts.me
    const others = session === undefined ? [] : yield* proven.list({ tenantId, sessionId: session })
    return {
      data: [
        new Membership({ tenant_id: tenantId, name: tenant.name, user_id: id, role, current: true }),
        ...others.map(
          ({ name, role, tenant_id, user_id }) => new Membership({ tenant_id, name, user_id, role, current: false })
        )
      ]
    }
  }).pipe(Effect.withSpan("TenantSwitch.list"))

  const add: TenantSwitch["Service"]["add"] = Effect.fn("TenantSwitch.add")(function* ({ password, tenant_id }, from) {
    // In the room: a token that is not good any more is refused here.
    const { email } = yield* accounts.me
    const place = yield* ownSession
    const identity = yield* sessions.prove({ username: email, password, tenant_id }, from).pipe(
      // There is one account of an address in a tenant.
      Effect.catchTag("TenantRequired", Effect.die),
      // One that nobody may log in to yet.
      Effect.catchTag("EmailUnverified", () => new InvalidCredentials({}))
    )
    yield* proven.prove(place, identity)
    return yield* list
  })

  const open: TenantSwitch["Service"]["open"] = Effect.fn("TenantSwitch.open")(function* (tenant, want, sender) {
    yield* accounts.me
    const from = yield* ownSession
    yield* limit.count({ narrow: from.sessionId, wide: undefined })
    const others = yield* proven.list(from)
    const target = others.find(({ tenant_id }) => tenant_id === tenant.toLowerCase())
    if (target === undefined) return yield* new TenantNotFound({})
    const identity = {
      tenantId: target.tenant_id,
      userId: target.user_id,
      role: target.role,
      tokenEpoch: target.token_epoch
    }
    return yield* sessions.begin(identity, { method: "switch", want, sender, from }).pipe(
      // It changed meanwhile.
      Effect.catchTag("Unauthenticated", () => new TenantNotFound({}))
    )
  })
  return TenantSwitch.of({ list, add, open })
})
