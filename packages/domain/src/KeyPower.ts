import { DateTime } from "effect"
import type { KeyOfActor } from "./Actor.ts"
import type { Scope } from "./Scope.ts"

/** What a key may, as far as another key may give it on. */
export interface Power {
  readonly scopes: ReadonlyArray<Scope>
  readonly models: ReadonlyArray<string> | null
  readonly expiresAt: DateTime.Utc | null
}

/**
 * The scopes that the caller lacks to make, change or rotate a key of this power: with a key only keys are managed that may no more, and
 * live no longer. Undefined: nothing is lacking. A login may give everything.
 */
export const lacking = (caller: KeyOfActor | undefined, power: Power): ReadonlyArray<Scope> | undefined => {
  if (caller === undefined) return undefined
  const scopes = power.scopes.filter((scope) => !caller.scopes.includes(scope))
  const models = power.models
  const fits =
    (caller.models === null || (models !== null && models.every((model) => caller.models?.includes(model) === true)))
    && (caller.expiresAt === null
      || (power.expiresAt !== null && DateTime.isLessThanOrEqualTo(power.expiresAt, caller.expiresAt)))
  return scopes.length === 0 && fits ? undefined : scopes
}
