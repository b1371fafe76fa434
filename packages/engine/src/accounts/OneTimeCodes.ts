import { Context, type Effect, type Redacted } from "effect"

/** One-time codes of a secret: TOTP with SHA-1, six digits and steps of 30 seconds (RFC 6238). Which steps count is `domain/Totp.ts`. */
export class OneTimeCodes extends Context.Service<
  OneTimeCodes,
  {
    /** 160 random bits (RFC 4226 §4, R6) in base 32. */
    readonly makeSecret: Effect.Effect<Redacted.Redacted>
    /** Whether it is the code of this step, compared in constant time. */
    readonly fits: (secret: Redacted.Redacted, code: string, step: number) => boolean
  }
>()("@llm-saas/engine/accounts/OneTimeCodes") {}
