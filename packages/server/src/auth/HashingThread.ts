import { hashSync, type Options } from "@node-rs/argon2"
import { constants, getPriority, setPriority } from "node:os"
import { parentPort } from "node:worker_threads"

// The body of one thread of HashingThreads.ts. It runs without Effect, to start faster.

/** A password to hash, and its salt. */
export interface Job {
  readonly password: string
  readonly options: Options & { readonly salt: Uint8Array }
}

/** The PHC string. `undefined`: the library refused, for example a salt that is too short. */
export type Answer = string | undefined

const work = ({ options, password }: Job): Answer => {
  try {
    return hashSync(password, options)
  } catch {
    return undefined
  }
}

// On Linux priority belongs to the thread; elsewhere it would be the whole program's. Nice 10 gives it a tenth of a request's share when
// both want the core. Nice 19 and the idle class helped requests no more, and starved logins on a busy machine.
const { PRIORITY_BELOW_NORMAL } = constants.priority
if (process.platform === "linux" && getPriority() < PRIORITY_BELOW_NORMAL) setPriority(PRIORITY_BELOW_NORMAL)

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.on("message", (job: Job) => parentPort?.postMessage(work(job)))
