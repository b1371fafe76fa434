import type { OneTimeTokenId } from "@llm-saas/domain/OneTimeToken"
import { Context, type Redacted } from "effect"

/** The texts of one-time tokens: derived from their ids by the installation's secret key, and stored nowhere. */
export class OneTimeTexts extends Context.Service<
  OneTimeTexts,
  {
    readonly textOf: (id: OneTimeTokenId) => Redacted.Redacted
  }
>()("@llm-saas/engine/accounts/OneTimeTexts") {}
