import { Schema } from "effect"

const ProofText = Schema.String.check(Schema.isMaxCodePoints(1024, { expected: "at most 1024 characters" }))

/** On what wants a recent proof of who asks for it: the `proof` of `POST /me/proof`. */
export const proofHeader = { proof: Schema.optionalKey(ProofText) }

/** The same for an RPC call. */
export const proofMember = proofHeader
