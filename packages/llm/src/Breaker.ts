/** Failures in a row that open a circuit. */
const FAILURES = 5

/** How many of one tenant's failures count for the shared circuit: less than {@link FAILURES}, so it takes more than one tenant. */
const SHARE = 3

/** Time without any tenant's success before the shared circuit can open: an answer to any tenant shows that the provider works. */
const QUIET_MS = 5000

/** Time after which a failure is forgotten. */
const MEMORY_MS = 300_000

/** How many questions may probe the provider at once while the shared circuit is `trying`, each of another tenant. */
const PROBES = 3

/** Number of tenants whose failures are remembered. */
const TENANTS = 10_000

/** How long (ms) a circuit stays open: 1, 2, 4, 8, 16, then 30 s, or longer if the provider asks for it, ten minutes at most. */
const pauseOf = (times: number, waitMs: number | undefined): number =>
  Math.max(Math.min(1000 * 2 ** Math.min(times, 5), 30_000), Math.min(waitMs ?? 0, 600_000))

/** Wait for other questions while a probe is running. */
const PROBING_MS = 1000

/** One tenant's own circuit. `probe`: the question that probes the provider, while it is running. */
interface Circuit {
  failures: number
  failedAt: number
  /** When (ms) a probe may be sent; undefined: closed. */
  openUntil: number | undefined
  times: number
  probe: Pass | undefined
}

/** The circuit of all tenants. */
type Shared =
  | { readonly state: "closed" }
  | { readonly state: "open"; readonly until: number; readonly times: number }
  | { readonly state: "trying"; readonly times: number; readonly probes: Map<string, Pass> }

/** A change that is logged. */
export type Change = "opened for one" | "opened for all" | "closed for all"

/**
 * Circuit breaker for a failing provider, one per target. Failures count for the tenant whose questions failed: after {@link FAILURES} in
 * a row that tenant's circuit opens for a while, then one question probes the provider. The shared circuit opens only when several
 * tenants' questions failed and no tenant's question was answered meanwhile. One tenant alone can never block another.
 *
 * Shared circuit: `closed` → `open` (failures of several tenants) → `trying` (time is up) → `closed` (an answer) or `open` for longer
 * (probes of two tenants failed). A tenant's own circuit: the same with its own failures, and one probe at a time.
 *
 * Times are monotonic, in ms. Nothing here is an effect. A tenant is known only by its partition.
 */
export class Breaker {
  readonly #circuits = new Map<string, Circuit>()
  #shared: Shared = { state: "closed" }
  /** Failures since any tenant's last success, by tenant. They count for the shared circuit. */
  readonly #failures = new Map<string, { count: number; at: number }>()
  #succeededAt = Number.NEGATIVE_INFINITY

  /** A pass for one question, which must be settled; or how long (ms) to wait. */
  enter(partition: string, now: number): Pass | number {
    const own = this.#circuits.get(partition)
    if (own?.openUntil !== undefined) {
      if (now < own.openUntil) return own.openUntil - now
      if (own.probe !== undefined) return PROBING_MS
    }
    if (this.#shared.state === "open") {
      if (now < this.#shared.until) return this.#shared.until - now
      this.#shared = { state: "trying", times: this.#shared.times, probes: new Map() }
      this.#failures.clear()
    }
    const pass = new Pass(this, partition)
    if (this.#shared.state === "trying") {
      const { probes } = this.#shared
      if (probes.has(partition) || probes.size >= PROBES) return PROBING_MS
      probes.set(partition, pass)
    }
    if (own?.openUntil !== undefined) own.probe = pass
    return pass
  }

  /** Whether no question was answered within {@link QUIET_MS}. */
  isQuiet(now: number): boolean {
    return now - this.#succeededAt >= QUIET_MS
  }

  /** Whose questions wait now; `waitMs`: how long all do. */
  look(now: number): {
    readonly all: Shared["state"]
    readonly waitMs: number | undefined
    readonly tenants: number
  } {
    const shared = this.#shared
    let tenants = 0
    for (const { openUntil } of this.#circuits.values()) if (openUntil !== undefined) tenants++
    if (shared.state !== "open") return { all: shared.state, waitMs: undefined, tenants }
    const waitMs = shared.until - now
    return waitMs > 0 ? { all: "open", waitMs, tenants } : { all: "trying", waitMs: undefined, tenants }
  }

  /** Number of remembered tenants. */
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
    // The outage is over for all tenants.
    this.#shared = { state: "closed" }
    this.#circuits.clear()
    return "closed for all"
  }

  fail(pass: Pass, now: number, waitMs: number | undefined): Change | undefined {
    const { partition } = pass
    const shared = this.#shared
    const tried = shared.state === "trying" && shared.probes.get(partition) === pass
    if (tried) shared.probes.delete(partition)
    const opened = this.#failOwn(pass, now, waitMs, tried)
    if (shared.state === "open" || (shared.state === "trying" && !tried)) return opened
    this.#count(partition, now)
    const [tenants, failures] = this.#counted()
    const enough = shared.state === "trying" ? tenants > 1 : tenants > 1 && failures >= FAILURES && this.isQuiet(now)
    if (!enough) return opened
    const times = shared.state === "trying" ? shared.times + 1 : 0
    this.#shared = { state: "open", until: now + pauseOf(times, waitMs), times }
    return shared.state === "closed" ? "opened for all" : opened
  }

  /** The question shows nothing about the provider: it was cancelled, or was itself at fault. */
  release(pass: Pass): void {
    const own = this.#circuits.get(pass.partition)
    if (own?.probe === pass) own.probe = undefined
    if (this.#shared.state === "trying" && this.#shared.probes.get(pass.partition) === pass)
      this.#shared.probes.delete(pass.partition)
  }

  /** Counts for the tenant's own circuit. A failed probe of the shared circuit opens it at once, so that other tenants can probe. */
  #failOwn(pass: Pass, now: number, waitMs: number | undefined, tried: boolean): Change | undefined {
    const own = this.#own(pass.partition, now)
    own.failedAt = now
    if (own.openUntil !== undefined && own.probe !== pass) return undefined
    own.failures++
    const again = own.openUntil !== undefined
    if (!again && !tried && own.failures < FAILURES) return undefined
    own.times = again ? own.times + 1 : 0
    own.openUntil = now + pauseOf(own.times, waitMs)
    own.probe = undefined
    return again ? undefined : "opened for one"
  }

  #own(partition: string, now: number): Circuit {
    const found = this.#circuits.get(partition)
    this.#circuits.delete(partition)
    const forgotten = found?.openUntil === undefined && found !== undefined && now - found.failedAt > MEMORY_MS
    const own =
      found === undefined || forgotten
        ? { failures: 0, failedAt: now, openUntil: undefined, times: 0, probe: undefined }
        : found
    // Ordered by last failure: the oldest is forgotten when there are too many.
    this.#circuits.set(partition, own)
    if (this.#circuits.size > TENANTS) {
      const [first] = this.#circuits.keys()
      if (first !== undefined) this.#circuits.delete(first)
    }
    return own
  }

  #count(partition: string, now: number): void {
    for (const [each, { at }] of this.#failures) if (now - at > MEMORY_MS) this.#failures.delete(each)
    const count = this.#failures.get(partition)?.count ?? 0
    // FAILURES tenants are enough to open the circuit: more need not be remembered.
    if (count > 0 || this.#failures.size < FAILURES) this.#failures.set(partition, { count: count + 1, at: now })
  }

  #counted(): readonly [tenants: number, failures: number] {
    let failures = 0
    for (const { count } of this.#failures.values()) failures += Math.min(count, SHARE)
    return [this.#failures.size, failures]
  }
}

/** Permission to send one question. It is settled once; later calls are ignored. */
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

  /** The provider failed. `waitMs`: how long it asked to wait, if it did. */
  fail(now: number, waitMs?: number): Change | undefined {
    return this.#once() ? this.#breaker.fail(this, now, waitMs) : undefined
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
