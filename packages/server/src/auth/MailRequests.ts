import type { ChangeEmail, MailLink, MailRequest, ResetPassword, VerifyEmail } from "@llm-saas/api/MailApi"
import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import type { LinkRefused } from "@llm-saas/domain/AccountLink"
import { Actor } from "@llm-saas/domain/Actor"
import type { ProofRequired } from "@llm-saas/domain/Factor"
import type { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import { type InvalidCredentials, type Refused, TooManyRequests, type Unavailable } from "@llm-saas/domain/Refusal"
import type { EmailTaken } from "@llm-saas/domain/User"
import { Accounts } from "@llm-saas/engine/accounts/Accounts"
import { AccountLinks, type LinkRequest } from "@llm-saas/engine/accounts/AccountLinks"
import { OwnEmail } from "@llm-saas/engine/accounts/OwnEmail"
import { Context, Effect, Layer, Redacted } from "effect"
import { createHmac } from "node:crypto"
import { ClientNetworks, type Sender } from "../config/ClientNetworks.ts"
import { Settings } from "../config/Settings.ts"
import { AddressLimit } from "./AddressLimit.ts"
import { LoginThrottle } from "./LoginThrottle.ts"
import { Proofs } from "./Proofs.ts"
import { SecretKey } from "./SecretKey.ts"

/** Mails that one address or account may be sent in an hour, by the requests of whoever. What is used up leaks away evenly. */
const MAILS_AN_HOUR = 6
const HOUR_MS = 3_600_000

type Limited = TooManyRequests | Unavailable

/**
 * Requests for mails, and what is done by their links: how often. The same for HTTP and RPC. A network that asks too often is told so; an
 * address that was sent too much gets no more, and nobody is told.
 */
export class MailRequests extends Context.Service<
  MailRequests,
  {
    readonly askReset: (request: typeof MailRequest.Type, from: Sender) => Effect.Effect<void, Limited>
    readonly askVerification: (request: typeof MailRequest.Type, from: Sender) => Effect.Effect<void, Limited>
    readonly reset: (
      reset: typeof ResetPassword.Type,
      from: Sender
    ) => Effect.Effect<void, LinkRefused | PasswordRefused | Limited>
    readonly verify: (
      link: typeof VerifyEmail.Type,
      from: Sender
    ) => Effect.Effect<void, LinkRefused | InvalidCredentials | Limited>
    readonly confirmEmail: (
      link: typeof MailLink.Type,
      from: Sender
    ) => Effect.Effect<void, LinkRefused | EmailTaken | Limited>
    readonly sendVerification: Effect.Effect<void, TooManyRequests | Refused, Actor>
    readonly changeEmail: (
      change: typeof ChangeEmail.Type & { readonly proof?: string | undefined },
      from: Sender
    ) => Effect.Effect<void, InvalidCredentials | ProofRequired | TooManyRequests | Refused, Actor>
  }
>()("@llm-saas/server/auth/MailRequests") {
  static readonly layer = Layer.effect(
    MailRequests,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const settings = yield* Settings
  const accounts = yield* Accounts
  const links = yield* AccountLinks
  const own = yield* OwnEmail
  const networks = yield* ClientNetworks
  const throttle = yield* LoginThrottle
  const proofs = yield* Proofs
  const access = yield* PreTenantAccess
  const secret = (yield* SecretKey).value
  const windowMs = settings.LOGIN_WINDOW_MINUTES * 60_000
  const shared = { windowMs, secret, access }
  const asking = new AddressLimit({ ...shared, name: "ask-mail", limit: settings.MAIL_REQUESTS_PER_ADDRESS })
  const following = new AddressLimit({ ...shared, name: "follow-link", limit: settings.MAIL_REQUESTS_PER_ADDRESS })

  /** Milliseconds until one more may be sent; 0: it is counted. */
  const wait = (...parts: ReadonlyArray<string>) => {
    const key = createHmac("sha256", Redacted.value(secret))
      .update(`mails ${parts.join(" ")}`)
      .digest("base64url")
    return access.countAttempt([{ key, limit: MAILS_AN_HOUR }], HOUR_MS)
  }

  const ask =
    (send: (request: LinkRequest) => Effect.Effect<void, Unavailable>, what: string) =>
    ({ email, tenant_id }: typeof MailRequest.Type, from: Sender) =>
      Effect.gen(function* () {
        yield* asking.count(networks.of(from))
        const waitMs = yield* wait(what, tenant_id?.toLowerCase() ?? "all", email)
        yield* send({ email, tenantId: tenant_id, allowed: waitMs === 0 })
      })

  const follow = <A, E>(from: Sender, work: Effect.Effect<A, E>) =>
    Effect.andThen(following.count(networks.of(from)), work)

  /** The actor's own requests are answered, so they are told. */
  const countOwn = Effect.fnUntraced(function* (what: string) {
    const { tenantId, userId } = yield* Actor
    const waitMs = yield* wait(what, tenantId, userId)
    if (waitMs > 0) return yield* new TooManyRequests({ retry_after: Math.max(1, Math.ceil(waitMs / 1000)) })
  })

  const changeEmail: MailRequests["Service"]["changeEmail"] = Effect.fnUntraced(function* (
    { email: next, password, proof },
    from
  ) {
    const client = networks.of(from)
    yield* proofs.demand(proof, { factorOnly: true })
    const { email, tenant_id } = yield* accounts.me
    // A wrong password here counts together with those at the login.
    yield* throttle.guard({ account: email, exact: true, client }, (attempts) =>
      accounts.confirmPassword({ email, password, client: client.narrow, attempts })
    )
    yield* countOwn("change")
    // Of a tenant's own: what others send there is not to be learned from a refusal.
    if ((yield* wait("change", tenant_id, next)) === 0) yield* own.askChange(next)
  })

  const verify = Effect.fnUntraced(function* ({ password, token }: typeof VerifyEmail.Type, from: Sender) {
    if (password !== undefined) {
      const { email, tenantId } = yield* links.findVerification(token)
      const client = networks.of(from)
      yield* throttle
        .guard({ account: email, exact: true, client }, (attempts) =>
          accounts.login({ email, password, tenantId, client: client.narrow, attempts })
        )
        .pipe(
          // It is right, and the login waits for just this.
          Effect.catchTag("EmailUnverified", () => Effect.void),
          // There is one account of an address in a tenant.
          Effect.catchTag("TenantRequired", Effect.die)
        )
    }
    yield* links.verify(token, password !== undefined)
  })

  return MailRequests.of({
    askReset: ask(links.askReset, "reset"),
    askVerification: ask(links.askVerification, "verify"),
    reset: ({ new_password, token }, from) =>
      follow(from, links.resetPassword({ token, password: new_password, client: networks.of(from).narrow })),
    verify: (link, from) => follow(from, verify(link, from)),
    confirmEmail: ({ token }, from) => follow(from, links.changeEmail(token)),
    sendVerification: Effect.andThen(countOwn("verify"), own.sendVerification),
    changeEmail
  })
})
