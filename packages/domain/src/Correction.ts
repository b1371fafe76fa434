import { Schema } from "effect"
import { GenerationId } from "./Generation.ts"
import { TenantId } from "./Tenant.ts"
import { line, uuid } from "./Text.ts"

const SIGNED = 'a decimal text of US dollars like "-0.50", below 10^12, with at most 18 decimals'
const SignedAmount = Schema.String.check(Schema.isPattern(/^-?\d{1,12}(?:\.\d{1,18})?$/u, { expected: SIGNED }))

/** A correction of what a tenant owes: an entry of its own in the ledger. */
export const Correction = Schema.Struct({
  /** What the tenant owes more; negative: less. */
  amount: SignedAmount,
  /** What is owed to the provider more; by default nothing, and the correction is the margin's. */
  provider_amount: Schema.optionalKey(SignedAmount),
  /** The answer that it is about. */
  generation_id: Schema.optionalKey(Schema.NullOr(GenerationId)),
  note: line(1000)
}).annotate({ identifier: "Correction" })
export type Correction = typeof Correction.Type

/** A correction that was made, with the id of its entry. */
export const MadeCorrection = Schema.Struct({
  id: Schema.String.check(uuid),
  tenant_id: TenantId,
  amount: SignedAmount,
  provider_amount: SignedAmount,
  generation_id: Schema.NullOr(GenerationId),
  note: line(1000)
}).annotate({ identifier: "MadeCorrection" })
