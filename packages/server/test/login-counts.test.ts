import { assert, layer } from "@effect/vitest"
import type { CountedLogin } from "@llm-saas/database/LoginCounts"
import { UserId } from "@llm-saas/domain/User"
import { Effect } from "effect"
import * as fc from "fast-check"
import { randomUUID } from "node:crypto"
import { FailureCounts } from "../src/auth/FailureCounts.ts"
import { LoginProcesses } from "./LoginProcesses.ts"

// Random interleavings of logins at two processes, beside the same rules in memory.

const WINDOW = 900_000
const LIFETIME = 60_000
const LIMITS = { perPair: 3, perAccount: 6, perAddress: 5, perWideAddress: 8, windowMs: WINDOW }
const ACCOUNT = UserId.make(randomUUID())
const padded = (text: string) => text.padEnd(43, "_")

/** A login of account `a` from address `d` of the network `w`. */
const loginOf = (run: string, a: number, d: number, w: number | undefined): CountedLogin => {
  const email = `${run} ${a}`
  const narrow = `${run} ${w ?? "-"} ${d}`
  const places = w === undefined ? [`at ${narrow}`] : [`at ${narrow}`, `in ${run} ${w}`]
  const behind = [`others ${email} ${narrow}`, `email ${email}`, ...places].map((key) => padded(`b ${key}`))
  const told = [`pair ${email} ${narrow}`, `email ${email}`, ...places].map(padded)
  return { id: randomUUID(), limits: LIMITS, keys: { told, behind, seed: padded(narrow) } }
}

/** The rules as one process alone would follow them; `now` in ms. */
const model = () => {
  const counts = new FailureCounts({ windowMs: WINDOW, capacity: 10_000 })
  let open: Array<{
    readonly id: string
    readonly expires: number
    readonly end: (failed: boolean, now: number) => void
  }> = []
  const expire = (now: number) => {
    for (const each of open.filter(({ expires }) => expires <= now)) each.end(true, each.expires)
    open = open.filter(({ expires }) => expires > now)
  }
  const attempt = ({ keys: { told } }: CountedLogin, now: number) => {
    expire(now)
    const [pair = "", email = "", ...places] = told
    const attacked = counts.level(email, now) >= LIMITS.perAccount
    return counts.attempt(
      [
        { key: pair, limit: attacked ? 1 : LIMITS.perPair },
        { key: email, limit: Number.POSITIVE_INFINITY, leak: LIMITS.perAccount },
        ...places.map((key, n) => ({ key, limit: n === 0 ? LIMITS.perAddress : LIMITS.perWideAddress }))
      ],
      now
    )
  }
  return {
    /** How long one that began now would have to wait. */
    wait: (login: CountedLogin, now: number): number => {
      const begun = attempt(login, now)
      if ("waitMs" in begun) return begun.waitMs
      begun.end(false, now)
      return 0
    },
    begin: (login: CountedLogin, now: number): number => {
      const begun = attempt(login, now)
      if ("waitMs" in begun) return begun.waitMs
      open.push({ id: login.id, expires: now + LIFETIME, end: begun.end })
      return 0
    },
    /** False: it had expired. */
    end: (id: string, failed: boolean, now: number): boolean => {
      expire(now)
      const found = open.find((each) => each.id === id)
      found?.end(failed, now)
      open = open.filter((each) => each !== found)
      return found !== undefined
    }
  }
}

const STEP = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("begin" as const),
      process: fc.nat(1),
      a: fc.nat(1),
      d: fc.nat(1),
      w: fc.constantFrom(undefined, 1)
    })
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("fail", "fail", "succeed", "cancel"),
      process: fc.nat(1),
      which: fc.nat()
    })
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 1000, max: 200_000 }) }) }
)

layer(LoginProcesses.layer, { timeout: "60 seconds" })("logins at two processes", (it) => {
  it.effect(
    "are let through and told to wait as if one process counted them, whatever else goes on and is never ended",
    () =>
      Effect.gen(function* () {
        const { counts, pass } = yield* LoginProcesses
        const started = performance.now()
        let passed = 0
        const now = () => performance.now() - started + passed
        let refused = 0
        const run = Effect.fnUntraced(function* (
          steps: ReadonlyArray<typeof STEP extends fc.Arbitrary<infer A> ? A : never>,
          nth: number
        ) {
          const expected = model()
          let open: Array<CountedLogin> = []
          for (const step of steps) {
            if (step.do === "begin") {
              const login = loginOf(String(nth), step.a, step.d, step.w)
              const before = expected.wait(login, now())
              const { waitMs } = yield* counts[step.process === 0 ? 0 : 1].begin(login)
              const wait = expected.begin(login, now())
              // Room came during the call: both answers are right, and what follows differs.
              if (before > 0 !== wait > 0) return
              const said = `${JSON.stringify(step)}: ${waitMs} ms, not ${wait}`
              assert.strictEqual(waitMs > 0, wait > 0, said)
              // The clocks of the two are a call apart.
              assert.isAtMost(Math.abs(waitMs - wait), 1500, said)
              if (waitMs === 0) open.push(login)
              else refused++
            } else if (step.do === "pass") {
              yield* pass(step.ms)
              passed += step.ms
            } else {
              const login = open[step.which % open.length]
              if (login === undefined) continue
              open = open.filter((each) => each !== login)
              // One that expired is of a process that was killed.
              if (!expected.end(login.id, step.do === "fail", now())) continue
              const process = counts[step.process === 0 ? 0 : 1]
              const accounts = step.do === "fail" ? [] : [ACCOUNT]
              if (step.do === "cancel") yield* process.cancel(login)
              else yield* process.end(login, { exact: false, accounts, fitting: accounts })
            }
          }
        })
        const samples = fc.sample(fc.array(STEP, { minLength: 30, maxLength: 90 }), 10)
        yield* Effect.forEach(samples, run, { discard: true })
        assert.isAbove(refused, 0)
      })
  )
})
