/** Failures in a row after which somebody's questions are not sent for a while. */
const FAILURES = 5

/** Of these, how many one tenant's count for all: it takes more than one tenant. */
const SHARE = 3

/** Milliseconds without any tenant's success before failures may count for all: an answer to anybody shows that the provider works. */
const QUIET = 5000

/** Milliseconds after which a failure is forgotten. */
const MEMORY = 300_000

/** How many questions may try a provider at once that failed for all, each of another tenant. */
const PROBES = 3

/** Tenants whose failures are kept in mind. */
const TENANTS = 10_000

/** How long (ms) questions are kept back: 1, 2, 4, 8, 16, then 30 seconds, and as long as the provider wants, ten minutes at most. */
const pauseOf = (times: number, wait: number | undefined): number =>
  Math.max(Math.min(1000 * 2 ** Math.min(times, 5), 30_000), Math.min(wait ?? 0, 600_000))

/** What others hear while a question tries whether it works again, in ms. */
const MEANWHILE = 1000

/** One tenant's own circuit. `probe`: the question that tries, while it is under way. */
interface Circuit {
  failures: number
  failedAt: number
  /** Until when (ms) nothing is sent; undefined: closed. */
  openUntil: number | undefined
  times: number
  probe: Pass | undefined
}

/** The circuit of all. */
type Shared =
  | { readonly state: "closed" }
  | { readonly state: "open"; readonly until: number; readonly times: number }
  | { readonly state: "trying"; readonly times: number; readonly probes: Map<string, Pass> }

/** A change that operators hear of. */
export type Change = "opened for one" | "opened for all" | "closed for all"

/**
 * Keeps questions back from a provider that fails, one for each target. Failures count for the tenant whose questions failed: after
 * {@link FAILURES} in a row nothing more of theirs is sent for a while, then one question tries. They count for all only when they come
 * from several tenants and nobody's question was answered meanwhile. No tenant's questions alone, whatever they are, keep another's back.
 *
 * Of all: `closed` → `open` (failures of several tenants) → `trying` (time is up) → `closed` (an answer) or `open` for longer (two
 * tenants' questions failed that tried). A tenant's own: the same with its own failures; one question tries at a time.
 *
 * Times are monotonic, in ms. Nothing here is an effect, and nothing names a tenant but the partition it was given.
 */
export class Breaker {
  readonly #circuits = new Map<string, Circuit>()
  #shared: Shared = { state: "closed" }
  /** Failures that count for all, by tenant: since anybody's last success. */
  readonly #failures = new Map<string, { count: number; at: number }>()
  #succeededAt = Number.NEGATIVE_INFINITY

  /** A pass for one question, to be settled; or how long (ms) to stay away. */
  enter(partition: string, now: number): Pass | number {
    const own = this.#circuits.get(partition)
    if (own?.openUntil !== undefined) {
      if (now < own.openUntil) return own.openUntil - now
      if (own.probe !== undefined) return MEANWHILE
    }
    if (this.#shared.state === "open") {
      if (now < this.#shared.until) return this.#shared.until - now
      this.#shared = { state: "trying", times: this.#shared.times, probes: new Map() }
      this.#failures.clear()
    }
    const pass = new Pass(this, partition)
    if (this.#shared.state === "trying") {
      const { probes } = this.#shared
      if (probes.has(partition) || probes.size >= PROBES) return MEANWHILE
      probes.set(partition, pass)
    }
    if (own?.openUntil !== undefined) own.probe = pass
    return pass
  }

  /** Whether nobody was answered lately. */
  isQuiet(now: number): boolean {
    return now - this.#succeededAt >= QUIET
  }

  /** How many tenants are kept in mind. */
  get size(): number {
    return Math.max(this.#circuits.size, this.#failures.size)
  }

  succeed({ partition }: Pass, now: number): Change | undefined {
    this.#succeededAt = now
    this.#failures.clear()
    if (this.#shared.state === "closed") {
      this.#circuits.delete(partition)
      return undefined
    }
    // The outage is over, for everybody.
    this.#shared = { state: "closed" }
    this.#circuits.clear()
    return "closed for all"
  }

  fail(pass: Pass, now: number, wait: number | undefined): Change | undefined {
    const { partition } = pass
    const shared = this.#shared
    const tried = shared.state === "trying" && shared.probes.get(partition) === pass
    if (tried) shared.probes.delete(partition)
    const opened = this.#failOwn(pass, now, wait, tried)
    if (shared.state === "open" || (shared.state === "trying" && !tried)) return opened
    this.#count(partition, now)
    const [tenants, failures] = this.#counted()
    const enough = shared.state === "trying" ? tenants > 1 : tenants > 1 && failures >= FAILURES && this.isQuiet(now)
    if (!enough) return opened
    const times = shared.state === "trying" ? shared.times + 1 : 0
    this.#shared = { state: "open", until: now + pauseOf(times, wait), times }
    return shared.state === "closed" ? "opened for all" : opened
  }

  /** The question said nothing about the provider: it was taken back, or was itself at fault. */
  release(pass: Pass): void {
    const own = this.#circuits.get(pass.partition)
    if (own?.probe === pass) own.probe = undefined
    if (this.#shared.state === "trying" && this.#shared.probes.get(pass.partition) === pass)
      this.#shared.probes.delete(pass.partition)
  }

  /** The tenant's own circuit. Who tried for all and failed is kept back at once, so that others may try. */
  #failOwn(pass: Pass, now: number, wait: number | undefined, tried: boolean): Change | undefined {
    const own = this.#own(pass.partition, now)
    own.failedAt = now
    if (own.openUntil !== undefined && own.probe !== pass) return undefined
    own.failures++
    const again = own.openUntil !== undefined
    if (!again && !tried && own.failures < FAILURES) return undefined
    own.times = again ? own.times + 1 : 0
    own.openUntil = now + pauseOf(own.times, wait)
    own.probe = undefined
    return again ? undefined : "opened for one"
  }

  #own(partition: string, now: number): Circuit {
    const found = this.#circuits.get(partition)
    this.#circuits.delete(partition)
    const forgotten = found?.openUntil === undefined && found !== undefined && now - found.failedAt > MEMORY
    const own =
      found === undefined || forgotten
        ? { failures: 0, failedAt: now, openUntil: undefined, times: 0, probe: undefined }
        : found
    // Who failed last is last, and the first is forgotten when there are too many.
    this.#circuits.set(partition, own)
    if (this.#circuits.size > TENANTS) {
      const [first] = this.#circuits.keys()
      if (first !== undefined) this.#circuits.delete(first)
    }
    return own
  }

  #count(partition: string, now: number): void {
    for (const [each, { at }] of this.#failures) if (now - at > MEMORY) this.#failures.delete(each)
    const count = this.#failures.get(partition)?.count ?? 0
    // More tenants than failures are needed tell nothing new.
    if (count > 0 || this.#failures.size < FAILURES) this.#failures.set(partition, { count: count + 1, at: now })
  }

  #counted(): readonly [tenants: number, failures: number] {
    let failures = 0
    for (const { count } of this.#failures.values()) failures += Math.min(count, SHARE)
    return [this.#failures.size, failures]
  }
}

/** One question that may be sent. Settled once; what is said after that does not count. */
export class Pass {
  readonly partition: string
  readonly #breaker: Breaker
  #settled = false

  constructor(breaker: Breaker, partition: string) {
    this.#breaker = breaker
    this.partition = partition
  }

  /** The provider began to answer. */
  succeed(now: number): Change | undefined {
    return this.#once() ? this.#breaker.succeed(this, now) : undefined
  }

  /** The provider failed. `wait`: for how long (ms) it wants to be left alone, where it said so. */
  fail(now: number, wait?: number): Change | undefined {
    return this.#once() ? this.#breaker.fail(this, now, wait) : undefined
  }

  release(): void {
    if (this.#once()) this.#breaker.release(this)
  }

  #once(): boolean {
    if (this.#settled) return false
    this.#settled = true
    return true
  }
}
