import { Actor } from "@llm-saas/domain/Actor"
import { Effect } from "effect"
import type { Asking } from "../generations/Llm.ts"
import type { ProviderKeys } from "./ProviderKeys.ts"

/**
 * The keys at providers for what this actor asks. Where they cannot be read now, because the database is away or the actor's access has
 * ended meanwhile, no key is used, not the installation's either.
 */
export const keyFor =
  (keys: ProviderKeys["Service"], actor: Actor["Service"]): NonNullable<Asking["keyFor"]> =>
  (provider, model) =>
    keys.find(provider, model).pipe(
      Effect.provideService(Actor, actor),
      Effect.orElseSucceed(() => "unavailable" as const)
    )
