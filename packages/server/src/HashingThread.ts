import { hashSync, type Options, verifySync } from "@node-rs/argon2"
import { spawn } from "node:child_process"
import { readlinkSync } from "node:fs"
import { constants, setPriority } from "node:os"
import { parentPort } from "node:worker_threads"

// The body of one thread of HashingThreads.ts. It runs without Effect: it starts faster, and there is nothing to compose.

/** What a thread is asked: to hash a password, or, where there is a hash, whether they fit. */
export interface Job {
  readonly password: string
  readonly hash: string | undefined
  readonly options: Options
}

/** `undefined`: the library refused, such as a hash that is none. */
export type Answer = string | boolean | undefined

const work = ({ hash, options, password }: Job): Answer => {
  try {
    return hash === undefined ? hashSync(password, options) : verifySync(hash, password)
  } catch {
    return undefined
  }
}

// In Linux priority belongs to the thread, elsewhere it would be the whole program's. Nice 19 yields to whoever wants the core;
// the idle class, which takes no privilege but a tool of util-linux, yields at once, not at the end of a time slice.
if (process.platform === "linux") {
  setPriority(0, constants.priority.PRIORITY_LOW)
  const thread = readlinkSync("/proc/thread-self").split("/").at(-1) ?? ""
  spawn("chrt", ["--idle", "--pid", "0", thread], { stdio: "ignore" }).on("error", () => {})
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.on("message", (job: Job) => parentPort?.postMessage(work(job)))
