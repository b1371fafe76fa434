import { Unavailable } from "@llm-saas/domain/Refusal"
import { Effect } from "effect"
import { Worker } from "node:worker_threads"
import { FairQueue, type Flows } from "./FairQueue.ts"
import type { Answer, Job } from "./HashingThread.ts"

/** Size of the pool. */
export interface HashingOptions {
  /** Hashes at once: each takes a core and 19 MiB. */
  readonly threads: number
  /** Hashes that may wait for a thread. One more makes the hash with the latest turn fail with a retry hint. */
  readonly waiting: number
  /** How long a hash may take, waiting included. */
  readonly patienceMs: number
}

/** Seconds after which a rejected client may retry. */
const RETRY_AFTER_SECONDS = 2

interface Task {
  readonly job: Job
  readonly done: (answer: Effect.Effect<Answer, Unavailable>) => void
}

interface Thread {
  readonly worker: Worker
  task: Task | undefined
}

/** A pool that {@link make} made. `flows`: whose job it is, and whom it is for. */
export interface HashingThreads {
  readonly run: (job: Job, flows: Flows) => Effect.Effect<Answer, Unavailable>
  readonly load: () => Load
}

/** Current load of a pool. */
export interface Load {
  readonly running: number
  readonly waiting: number
}

const unavailable = Effect.suspend(() => Effect.fail(new Unavailable({ retry_after: RETRY_AFTER_SECONDS })))

/**
 * Threads that only hash, at low priority, each started when first needed. Not libuv's pool: there, hashes block files and name look-ups,
 * and compete with requests at the same priority. The p99 of requests in ms without hashes, with continuous hashes in libuv's pool, and
 * with hashes here (2 cores, Node 24, Linux 6.18, 2026-11; medians of 9 rounds): at 400 requests per second 4.9, 7.0, 5.5; with 8
 * requests always under way 12.8, 15.3, 13.0.
 *
 * The queue is fair between clients and between targets, see {@link FairQueue}: a flood delays only itself. A running hash cannot be stopped. A
 * client that leaves gives up its place in the queue; if its hash is running, the thread stays busy until it is done.
 *
 * Not `piscina` (5.3.2): it hashes as fast, but `runTask` in its src/index.ts refuses a newcomer to a full queue. Beside a flood of
 * one client another was refused at once, where here it had its hash before the flood. Its queue can be replaced, but a queue cannot
 * end another's task to make room. Aborting a task that runs ends its thread; a new one is started for the next hash. The priority
 * needs a native package, `@napi-rs/nice`.
 */
export const make = (options: HashingOptions) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Threads(options)),
      (threads) => threads.stop
    ),
    (threads): HashingThreads => ({
      run: (job, flows) =>
        Effect.timeoutOrElse(threads.run(job, flows), { duration: options.patienceMs, orElse: () => unavailable }),
      load: () => threads.load
    })
  )

class Threads {
  readonly #options: HashingOptions
  readonly #threads = new Set<Thread>()
  readonly #idle: Array<Thread> = []
  readonly #queue: FairQueue<Task>

  constructor(options: HashingOptions) {
    this.#options = options
    this.#queue = new FairQueue(options.waiting)
  }

  get load(): Load {
    return { running: this.#threads.size - this.#idle.length, waiting: this.#queue.size }
  }

  readonly stop = Effect.suspend(() => {
    for (const task of this.#queue.clear()) task.done(unavailable)
    return Effect.forEach(this.#threads, ({ worker }) => Effect.promise(() => worker.terminate()), {
      concurrency: "unbounded"
    })
  })

  run(job: Job, flows: Flows): Effect.Effect<Answer, Unavailable> {
    return Effect.callback((resume) => {
      const task: Task = { job, done: resume }
      const thread = this.#idle.pop() ?? this.#start()
      if (thread !== undefined) this.#give(thread, task)
      else this.#queue.add(task, flows)?.done(unavailable)
      return Effect.sync(() => this.#queue.remove(task))
    })
  }

  #give(thread: Thread, task: Task): void {
    thread.task = task
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    thread.worker.postMessage(task.job)
  }

  #start(): Thread | undefined {
    if (this.#threads.size >= this.#options.threads) return undefined
    const thread: Thread = { worker: new Worker(new URL("./HashingThread.ts", import.meta.url)), task: undefined }
    this.#threads.add(thread)
    thread.worker.on("message", (answer: Answer) => {
      const { task } = thread
      // Freed before the result is delivered: its receiver may ask again at once.
      this.#next(thread)
      task?.done(Effect.succeed(answer))
    })
    // A thread that broke (out of memory) is replaced; its client may retry.
    thread.worker.on("error", () => {})
    thread.worker.on("exit", () => {
      this.#threads.delete(thread)
      thread.task?.done(unavailable)
      const idle = this.#idle.indexOf(thread)
      if (idle >= 0) this.#idle.splice(idle, 1)
      const successor = this.#queue.size > 0 ? this.#start() : undefined
      if (successor !== undefined) this.#next(successor)
    })
    // Idle threads do not keep the program alive.
    thread.worker.unref()
    return thread
  }

  #next(thread: Thread): void {
    thread.task = undefined
    const task = this.#queue.take()
    if (task === undefined) {
      this.#idle.push(thread)
      return
    }
    this.#give(thread, task)
  }
}
