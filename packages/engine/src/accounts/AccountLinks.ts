import { AccountLinkAccess, type LinkedAccount, type WrittenLink } from "@llm-saas/database/AccountLinkAccess"
import { LinkRefused } from "@llm-saas/domain/AccountLink"
import { MailId } from "@llm-saas/domain/Mail"
import type { Password } from "@llm-saas/domain/Password"
import type { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import { InvalidCredentials, type Unavailable } from "@llm-saas/domain/Refusal"
import type { TenantId } from "@llm-saas/domain/Tenant"
import { type Email, EmailTaken } from "@llm-saas/domain/User"
import { Context, Duration, Effect, Layer, Option, type Redacted } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { OneTimeTokens } from "./OneTimeTokens.ts"
import { PasswordHasher } from "./PasswordHasher.ts"
import { PasswordRules } from "./PasswordRules.ts"
import { answerAtInterval } from "./RefusalTiming.ts"

/** For how long the links are good. */
export const LINK_LIFETIMES = {
  password_reset: Duration.minutes(30),
  email_verify: Duration.days(1),
  email_change: Duration.days(1)
} as const

/** Who asks for a link, without being logged in. */
export interface LinkRequest {
  readonly email: Email
  /** Undefined: all accounts of the address get a mail, each by itself. */
  readonly tenantId: TenantId | undefined
  /** False: everything is done but the writing, so that it takes as long. */
  readonly allowed: boolean
}

/**
 * What people do about their account by links in mails, without being logged in. A token has 256 bits: who has it has read the mail. Asking
 * for a link is answered alike and at the same moments, whether there is an account or not.
 */
export class AccountLinks extends Context.Service<
  AccountLinks,
  {
    /** A mail with a link to choose a new password; earlier links are void. */
    readonly askReset: (request: LinkRequest) => Effect.Effect<void, Unavailable>
    /** A mail with a link to verify the address, where it is not verified. */
    readonly askVerification: (request: LinkRequest) => Effect.Effect<void, Unavailable>
    /** Ends everything that logged in before. `client`: the client's network. */
    readonly resetPassword: (reset: {
      readonly token: Redacted.Redacted
      readonly password: Password
      readonly client: string
    }) => Effect.Effect<void, LinkRefused | PasswordRefused | Unavailable>
    /** The account whose address a link verifies. It is not used by that. */
    readonly findVerification: (
      token: Redacted.Redacted
    ) => Effect.Effect<{ readonly email: Email; readonly tenantId: TenantId }, LinkRefused | Unavailable>
    /**
     * `proven`: the account's password was given. Else it stays unverified, if it has one: whoever registered it with another's address would
     * have it proven by them.
     */
    readonly verify: (
      token: Redacted.Redacted,
      proven: boolean
    ) => Effect.Effect<void, LinkRefused | InvalidCredentials | Unavailable>
    /** The account has the address to which the link was sent. {@link EmailTaken} is told only to who reads mail there. */
    readonly changeEmail: (token: Redacted.Redacted) => Effect.Effect<void, LinkRefused | EmailTaken | Unavailable>
  }
>()("@llm-saas/engine/accounts/AccountLinks") {
  static readonly layer = Layer.effect(
    AccountLinks,
    Effect.suspend(() => make)
  ).pipe(Layer.provide(AccountLinkAccess.layer))
}

const make = Effect.gen(function* () {
  const access = yield* AccountLinkAccess
  const tokens = yield* OneTimeTokens
  const hasher = yield* PasswordHasher
  const rules = yield* PasswordRules
  const random = yield* SecureRandom
  const newMail = Effect.map(random.uuidV7(), (id) => MailId.make(id))

  const draw = drawing(tokens, random)
  const ask = (purpose: "password_reset" | "email_verify", { allowed, email, tenantId }: LinkRequest) =>
    answerAtInterval(
      access.accounts({ email, tenantId, unverified: purpose === "email_verify" }),
      Effect.fnUntraced(function* (accounts) {
        const links = yield* Effect.forEach(accounts, draw)
        yield* access.write(purpose, email, allowed ? links : [], Duration.toSeconds(LINK_LIFETIMES[purpose]))
      })
    )

  const hashOf = Effect.fnUntraced(function* (token: Redacted.Redacted) {
    const hash = yield* tokens.hashOf(token)
    return Option.isSome(hash) ? hash.value : yield* new LinkRefused({})
  })

  const resetPassword: AccountLinks["Service"]["resetPassword"] = Effect.fn("AccountLinks.resetPassword")(function* ({
    client,
    password,
    token
  }) {
    const hash = yield* hashOf(token)
    const found = yield* tokens.find(token, "password_reset")
    if (Option.isNone(found)) return yield* new LinkRefused({})
    const { address: email, tenant_id, tenant_name } = found.value
    yield* rules.check(password, { email, names: [tenant_name] })
    const share = { client, target: `password ${tenant_id}` }
    const passwordHash = yield* hasher.hash(password, { email, share })
    if (!(yield* access.resetPassword(hash, passwordHash, yield* newMail))) return yield* new LinkRefused({})
  })

  const verify: AccountLinks["Service"]["verify"] = Effect.fn("AccountLinks.verify")(function* (token, proven) {
    const outcome = yield* access.verify(yield* hashOf(token), proven)
    if (outcome === "password_wanted") return yield* new InvalidCredentials({ detail: PASSWORD_WANTED })
    if (outcome === "refused") return yield* new LinkRefused({})
  })

  const findVerification: AccountLinks["Service"]["findVerification"] = Effect.fn("AccountLinks.findVerification")(
    function* (token) {
      const found = yield* tokens.find(token, "email_verify")
      if (Option.isNone(found)) return yield* new LinkRefused({})
      return { email: found.value.address, tenantId: found.value.tenant_id }
    }
  )

  const changeEmail: AccountLinks["Service"]["changeEmail"] = Effect.fn("AccountLinks.changeEmail")(function* (token) {
    const outcome = yield* access.changeEmail(yield* hashOf(token), yield* newMail)
    if (outcome === "taken") return yield* new EmailTaken({})
    if (outcome === "refused") return yield* new LinkRefused({})
  })

  return AccountLinks.of({
    askReset: Effect.fn("AccountLinks.askReset")((request) => ask("password_reset", request)),
    askVerification: Effect.fn("AccountLinks.askVerification")((request) => ask("email_verify", request)),
    resetPassword,
    findVerification,
    verify,
    changeEmail
  })
})

const PASSWORD_WANTED = "The password of the account is asked for with the link."

/** Draws a link for an account. */
export const drawing = (tokens: OneTimeTokens["Service"], random: SecureRandom["Service"]) =>
  Effect.fnUntraced(function* (account: LinkedAccount): Effect.fn.Return<WrittenLink> {
    const { hash, id } = yield* tokens.draw
    return { account, token: id, hash, mail: yield* random.uuidV7() }
  })
