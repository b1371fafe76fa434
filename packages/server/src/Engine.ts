import { LoginCounts } from "@llm-saas/database/LoginCounts"
import { InvitationAccess } from "@llm-saas/database/InvitationAccess"
import { OperatorAccess } from "@llm-saas/database/OperatorAccess"
import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { Pool } from "@llm-saas/database/connections/Pool"
import { Readiness } from "@llm-saas/database/connections/Readiness"
import { PriceStore } from "@llm-saas/database/PriceStore"
import { Tenancy } from "@llm-saas/database/Tenancy"
import { Loops } from "@llm-saas/domain/Loop"
import { GenerationStore } from "@llm-saas/database/GenerationStore"
import { AuditEvents } from "@llm-saas/engine/AuditEvents"
import { Accounts } from "@llm-saas/engine/accounts/Accounts"
import { AccountLinks } from "@llm-saas/engine/accounts/AccountLinks"
import { Verification } from "@llm-saas/engine/accounts/Verification"
import { RequireVerifiedEmail } from "@llm-saas/engine/accounts/VerifiedEmail"
import { OwnEmail } from "@llm-saas/engine/accounts/OwnEmail"
import { InvitationLinks } from "@llm-saas/engine/accounts/InvitationLinks"
import { Invitations } from "@llm-saas/engine/accounts/Invitations"
import { Keys } from "@llm-saas/engine/accounts/Keys"
import { KeyUses } from "@llm-saas/engine/accounts/KeyUses"
import { Factors } from "@llm-saas/engine/accounts/Factors"
import { LimitsInForce } from "@llm-saas/engine/accounts/LimitsInForce"
import { LoginPolicies } from "@llm-saas/engine/accounts/LoginPolicies"
import { SecondFactors } from "@llm-saas/engine/accounts/SecondFactors"
import { Mails } from "@llm-saas/engine/accounts/Mails"
import { OneTimeTokens } from "@llm-saas/engine/accounts/OneTimeTokens"
import { ServiceAccounts } from "@llm-saas/engine/accounts/ServiceAccounts"
import { Conversations } from "@llm-saas/engine/messages/Conversations"
import { Feedbacks } from "@llm-saas/engine/messages/Feedback"
import { Generations } from "@llm-saas/engine/generations/Generations"
import { Isolation } from "@llm-saas/engine/Isolation"
import { Messages } from "@llm-saas/engine/messages/Messages"
import { PurgeLayer } from "@llm-saas/engine/Purge"
import { TokenCounts } from "@llm-saas/engine/generations/TokenCounts"
import { PriceBook } from "@llm-saas/engine/prices/PriceBook"
import { ProviderKeys } from "@llm-saas/engine/providerKeys/ProviderKeys"
import { Tenants } from "@llm-saas/engine/accounts/Tenants"
import { UsageFoldLayer } from "@llm-saas/engine/usage/UsageFold"
import { UsageReports } from "@llm-saas/engine/usage/UsageReports"
import { UserSessions } from "@llm-saas/engine/accounts/UserSessions"
import { Users } from "@llm-saas/engine/accounts/Users"
import { Effect, Layer } from "effect"
import { layerWebCrypto as DigestLayer } from "effect/crypto/Digest"
import { EncryptionKeys } from "./auth/EncryptionKeys.ts"
import { EncryptionLayer } from "./auth/Envelope.ts"
import { OneTimeCodesLayer } from "./auth/OneTimeCodes.ts"
import { OneTimeTextsLayer } from "./auth/OneTimeTexts.ts"
import { PooledRandomLayer } from "./auth/PooledRandom.ts"
import { Drain } from "./http/Drain.ts"
import { availability, gauge } from "./metrics/Gauge.ts"
import { ModelLayer } from "./Model.ts"
import { InvitationLimitLayer } from "./auth/InvitationLimits.ts"
import { PasswordRulesLayer } from "./auth/CommonPasswords.ts"
import { PasskeysLayer } from "./auth/Passkeys.ts"
import { PasswordsLayer } from "./auth/Passwords.ts"
import { Settings } from "./config/Settings.ts"
import { SingleSignOnLayer } from "./SingleSignOn.ts"
import { StartupFailed } from "./process/Startup.ts"

const TenantsLayer = Layer.unwrap(
  Effect.map(Settings, ({ REGISTRATION_DEFAULT }) => Tenants.layer({ registration: REGISTRATION_DEFAULT }))
)

const RequireVerifiedEmailLayer = Layer.effect(
  RequireVerifiedEmail,
  Effect.map(Settings, ({ REQUIRE_VERIFIED_EMAIL }) => REQUIRE_VERIFIED_EMAIL)
)

const GenerationsLayer = Layer.unwrap(
  Effect.map(Settings, (settings) =>
    Generations.layer({
      limits: {
        perUser: settings.GENERATIONS_PER_USER,
        perTenant: settings.GENERATIONS_PER_TENANT,
        waitingPerTenant: settings.GENERATIONS_WAITING_PER_TENANT,
        atOnce: settings.GENERATIONS_AT_ONCE
      },
      promptCharacters: settings.PROMPT_MAX_CHARACTERS,
      answerCharacters: settings.ANSWER_MAX_CHARACTERS,
      contextTokens: settings.LLM_CONTEXT_TOKENS,
      readersPerUser: settings.READERS_PER_USER,
      graceMs: settings.STREAM_GRACE_SECONDS * 1000
    })
  )
)

/** Share of the shutdown time in which answers may finish; the rest is for notifying their readers and storing them. */
const SHARE = 0.8

/**
 * On shutdown, answers may go on for a while; the rest are then ended as interrupted, with their text. That includes answers without a
 * reader here: a reader whom a proxy cut off, because we stop, is about to reconnect to another process.
 */
const EndOnDrain = Layer.effectDiscard(
  Effect.gen(function* () {
    const { SHUTDOWN_SECONDS } = yield* Settings
    const drain = yield* Drain
    const generations = yield* Generations
    yield* Effect.forkScoped(
      Effect.andThen(drain.begun, Effect.delay(generations.stopAll, SHUTDOWN_SECONDS * 1000 * SHARE))
    )
    yield* Effect.addFinalizer(() => generations.idle)
  })
)

const ReadinessLayer = Layer.catchTag(Readiness.layer, "MigrationFailed", ({ message }) =>
  Layer.effectContext(Effect.fail(new StartupFailed({ message })))
)

/** Gauges of the engine and its connections. */
const Gauges = Layer.effectDiscard(
  Effect.gen(function* () {
    const { load } = yield* Generations
    const pool = yield* Pool
    yield* gauge("llm_generations_running", "Answers that run.", () => load().running)
    yield* gauge("llm_generations_waiting", "Questions that wait for their turn.", () => load().waiting)
    yield* gauge("db_pool_size", "Connections at most.", () => pool.load().size)
    yield* gauge("db_pool_lent", "Connections in use.", () => pool.load().lent)
    yield* gauge("db_pool_waiting", "Requests that wait for a connection.", () => pool.load().waiting)
    const loops = yield* Loops
    yield* gauge("loops_failing", "Background loops whose last round failed.", () =>
      [...loops].reduce((failing, { failures }) => (failures > 0 ? failing + 1 : failing), 0)
    )
    yield* availability("postgresql")
    yield* availability("provider")
  })
)

/** The product's services, and what they need: access to the database, the model and the machine. */
export const EngineLayer = Layer.mergeAll(
  Layer.provide(Accounts.layer, [Verification.layer, RequireVerifiedEmailLayer]),
  AccountLinks.layer,
  OwnEmail.layer,
  Users.layer,
  UserSessions.layer,
  Layer.provide(Invitations.layer, InvitationLimitLayer),
  Layer.provide(InvitationLinks.layer, InvitationAccess.layer),
  Keys.layer,
  KeyUses.layer,
  ServiceAccounts.layer,
  Factors.layer,
  SecondFactors.layer,
  LoginPolicies.layer,
  LimitsInForce.layer,
  TenantsLayer,
  Messages.layer,
  Conversations.layer,
  Feedbacks.layer,
  TokenCounts.layer,
  Isolation.layer,
  AuditEvents.layer,
  EndOnDrain,
  UsageReports.layer,
  PurgeLayer,
  UsageFoldLayer,
  Gauges
).pipe(
  Layer.provideMerge(Layer.mergeAll(OneTimeTokens.layer, Mails.layer)),
  Layer.provideMerge(GenerationsLayer),
  Layer.provideMerge(Layer.provide(PriceBook.layer, PriceStore.layer)),
  Layer.provideMerge(Layer.mergeAll(ProviderKeys.layer, SingleSignOnLayer)),
  Layer.provide(OneTimeCodesLayer),
  Layer.provideMerge(Layer.provide(EncryptionLayer, EncryptionKeys.layer)),
  Layer.provideMerge(
    Layer.mergeAll(
      Tenancy.layer,
      PreTenantAccess.layer,
      LoginCounts.layer,
      OperatorAccess.layer,
      ReadinessLayer,
      GenerationStore.layer,
      PasswordsLayer,
      PasskeysLayer,
      PasswordRulesLayer,
      OneTimeTextsLayer,
      PooledRandomLayer,
      DigestLayer,
      ModelLayer
    )
  )
)
