import { LlmSaasError, type Problem, type Proof, type ProofOptions } from "@llm-saas/client"
import { session } from "../session/session.ts"
import { Told } from "../ui/Told.ts"

/** What may prove who asks. */
export type Methods = NonNullable<Problem["methods"]>

/** Nobody proved who asks: what wanted the proof was not done. */
export class NotProven extends Told {
  override readonly name = "NotProven"
}

interface Asked {
  readonly methods: Methods
  readonly answer: (proof: Proof | undefined) => void
}

/** A proof is not used in its last seconds, in which it might end on the way. */
const SPARE_MS = 10_000

let kept: { readonly proof: string; readonly until: number; readonly user: string | undefined } | undefined
let asked: Asked | undefined
const listeners = new Set<() => void>()

const ask = (next: Asked | undefined) => {
  asked = next
  for (const listener of listeners) listener()
}

// A proof is of one user's.
const user = () => (session.state.kind === "in" ? session.state.profile.id : undefined)
session.subscribe(() => {
  if (kept?.user !== user()) kept = undefined
})

/** What the dialog in the frame of the pages asks for: see `ProofDialog`. */
export const proofAsked = {
  get now(): Asked | undefined {
    return asked
  },
  subscribe(listener: () => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
}

/**
 * Runs what may want a proof of who asks. Where the server wants one, a dialog asks for it, and it is run again. A proof is kept in memory for
 * as long as it is good. Fails with {@link NotProven} if the dialog is closed.
 */
export const withProof = async <A>(run: (options: ProofOptions) => Promise<A>): Promise<A> => {
  const good = kept !== undefined && performance.now() < kept.until ? { proof: kept.proof } : {}
  try {
    return await run(good)
  } catch (error) {
    if (!(error instanceof LlmSaasError) || error.code !== "proof_required") throw error
    const methods = error.problem?.methods ?? []
    const answer = await new Promise<Proof | undefined>((resolve) => ask({ methods, answer: resolve }))
    ask(undefined)
    if (answer === undefined) throw new NotProven("Nothing was changed: it was not proven that it is you.")
    kept = { user: user(), proof: answer.proof, until: performance.now() + answer.expires_in * 1000 - SPARE_MS }
    return run({ proof: answer.proof })
  }
}
