import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import type { Register } from "@llm-saas/api/AccountsApi"
import type { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import type { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import { type TooManyRequests, Unauthenticated, type Unavailable } from "@llm-saas/domain/Refusal"
import { type Tenant, TenantCreationClosed } from "@llm-saas/domain/Tenant"
import type { RegistrationRefused, User } from "@llm-saas/domain/User"
import { Accounts } from "@llm-saas/engine/accounts/Accounts"
import { Tenants } from "@llm-saas/engine/accounts/Tenants"
import { Context, Effect, Layer, Redacted } from "effect"
import { createHash, timingSafeEqual } from "node:crypto"
import { CreationAttempts } from "./CreationAttempts.ts"
import { AddressLimit } from "./AddressLimit.ts"
import { ClientNetworks, type Sender } from "../config/ClientNetworks.ts"
import { LoginThrottle } from "./LoginThrottle.ts"
import { Settings } from "../config/Settings.ts"
import { SecretKey } from "./SecretKey.ts"

/** Creates tenants and accounts for clients without a token: whether that is allowed, and how often. The same for HTTP and RPC. */
export class SignUps extends Context.Service<
  SignUps,
  {
    /** `authorization`: the header, if any. With the right `TENANT_CREATION_TOKEN` the request is not counted. */
    readonly createTenant: (
      tenant: { readonly name: string; readonly authorization: string | undefined; readonly key: string | undefined },
      from: Sender
    ) => Effect.Effect<
      Tenant,
      TenantCreationClosed | IdempotencyMismatch | Unauthenticated | TooManyRequests | Unavailable
    >
    readonly register: (
      user: typeof Register.Type & { readonly key: string | undefined },
      from: Sender
    ) => Effect.Effect<
      User,
      RegistrationRefused | PasswordRefused | IdempotencyMismatch | TooManyRequests | Unavailable
    >
  }
>()("@llm-saas/server/auth/SignUps") {
  static readonly layer = Layer.effect(
    SignUps,
    Effect.gen(function* () {
      const settings = yield* Settings
      const attempts = yield* CreationAttempts
      const accounts = yield* Accounts
      const tenants = yield* Tenants
      const networks = yield* ClientNetworks
      const throttle = yield* LoginThrottle
      const windowMs = settings.LOGIN_WINDOW_MINUTES * 60_000
      const shared = { windowMs, secret: (yield* SecretKey).value, access: yield* PreTenantAccess }
      const registrations = new AddressLimit({ ...shared, name: "register", limit: settings.REGISTRATIONS_PER_ADDRESS })
      const creations = new AddressLimit({ ...shared, name: "create-tenant", limit: settings.TENANTS_PER_ADDRESS })
      const token = settings.TENANT_CREATION_TOKEN

      const counted = (limit: AddressLimit, from: Sender) => limit.count(networks.of(from))

      const createTenant: SignUps["Service"]["createTenant"] = Effect.fnUntraced(function* (
        { authorization, key, name },
        from
      ) {
        if (settings.TENANT_CREATION === "closed") return yield* new TenantCreationClosed({})
        const trusted = settings.TENANT_CREATION === "token" && token !== undefined && bears(authorization, token)
        if (!trusted) yield* counted(creations, from)
        if (!trusted && settings.TENANT_CREATION === "token") return yield* new Unauthenticated({})
        return yield* tenants.create(name, attempts.ofGuest("tenants.create", key, [name], from))
      })

      const register: SignUps["Service"]["register"] = Effect.fnUntraced(function* (
        { email, key, password, tenant_id },
        from
      ) {
        yield* counted(registrations, from)
        const client = networks.of(from)
        const body = [tenant_id.toLowerCase(), email, Redacted.value(password)]
        const attempt = attempts.ofGuest("accounts.register", key, body, from)
        const user = yield* accounts.register({ tenantId: tenant_id, email, password, client: client.narrow, attempt })
        yield* throttle.registered(user.id, client)
        return user
      })
      return SignUps.of({ createTenant, register })
    })
  )
}

const BEARER = /^Bearer +(\S+)$/iu

/** Whether the header bears the token, compared in constant time. */
const bears = (authorization: string | undefined, token: Redacted.Redacted): boolean =>
  timingSafeEqual(digest(BEARER.exec(authorization ?? "")?.[1] ?? ""), digest(Redacted.value(token)))

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()
