import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { signUp } from "../People.ts"
import { Running } from "../Running.ts"
import { counted, first, limit, makeKey, PRICED, query } from "./Account.ts"
import { Other } from "./TwoProcesses.ts"

const LIMIT = 30
const MINUTES = 10

layer(Other.with({ ...PRICED, MOCK_TTFT_MS: "0", MOCK_DELAY_MS: "0" }), {
  timeout: "120 seconds",
  excludeTestServices: true
})("ten minutes of bursts at two processes", (it) => {
  it.effect("are let through as the limit of the key says: no more, and never less", () =>
    Effect.gen(function* () {
      const servers = [yield* Running, yield* Other]
      const { tenant, token } = yield* signUp(servers[0]?.send ?? assert.fail())
      const key = yield* makeKey(servers[0]?.send ?? assert.fail(), token)
      yield* limit(tenant, `key:${key.id}`, { requests_per_minute: String(LIMIT) })
      const now = Effect.map(first("select extract(epoch from clock_timestamp())::float8 as now"), ({ now }) =>
        Number(now)
      )
      // Seconds that pass between the bursts: parts of a minute, and one longer than it.
      const pauses = [3, 20, 7, 60, 31, 90, 1, 45, 60, 13, 60, 60, 60, 30, 60]
      assert.strictEqual(
        pauses.reduce((sum, each) => sum + each, 0),
        MINUTES * 60
      )
      const begun = yield* now
      // What may have been let through: a whole allowance, and one more each 60 / LIMIT seconds. By the database's clock.
      let room = LIMIT
      let last = begun
      let admitted = 0
      for (const [n, pause] of pauses.entries()) {
        const from = yield* now
        const burst = yield* Effect.forEach(
          Array.from({ length: 2 * LIMIT }, (_, at) => servers[at % 2]),
          (server) =>
            (server ?? assert.fail()).send("POST", "/messages", { token: key.key, json: { content: "Now?" } }),
          { concurrency: 20 }
        )
        const until = yield* now
        const { "201": let_through = 0, ...refused } = counted(burst)
        const told = JSON.stringify({ n, pause, let_through, refused, room, seconds: until - from })
        assert.deepStrictEqual(Object.keys(refused), ["429 limit_reached"], told)
        // At least what there was room for when it began, at most what there was when it ended.
        const least = Math.floor(Math.min(LIMIT, room + ((from - last) * LIMIT) / 60) + 0.001)
        const most = Math.floor(
          Math.min(LIMIT, room + ((from - last) * LIMIT) / 60) + ((until - from) * LIMIT) / 60 + 0.001
        )
        assert.isAtLeast(let_through, least, told)
        assert.isAtMost(let_through, most, told)
        for (const { body, status } of burst)
          if (status === 429) assert.isAtMost(Number(body["retry_after"]), Math.ceil(60 / LIMIT), told)
        admitted += let_through
        // It is used up now, but for a part of one. The minute goes on.
        const used = yield* first(
          `update app.rates set requests_at = requests_at - interval '${pause} seconds' where tenant_id = '${tenant}'
           returning extract(epoch from requests_at - clock_timestamp())::float8 as used, extract(epoch from clock_timestamp())::float8 as now`
        )
        room = Math.min(LIMIT, LIMIT - (Math.max(Number(used["used"]), 0) * LIMIT) / 60)
        last = Number(used["now"])
      }
      const seconds = MINUTES * 60 - (pauses.at(-1) ?? 0) + ((yield* now) - begun)
      assert.isAtMost(admitted, LIMIT + Math.ceil((seconds * LIMIT) / 60))
      const { stored } = yield* first(
        `select count(*)::int as stored from app.generations where tenant_id = '${tenant}'`
      )
      assert.strictEqual(stored, admitted)
      assert.lengthOf(yield* query(`select from app.rates where tenant_id = '${tenant}'`), 1)
    })
  )
})

const flood = Effect.fnUntraced(function* (key: string) {
  const servers = [yield* Running, yield* Other]
  return yield* Effect.forEach(
    Array.from({ length: 400 }, (_, at) => servers[at % 2]),
    (server) => (server ?? assert.fail()).send("POST", "/messages", { token: key, json: { content: "More!" } }),
    { concurrency: 60 }
  )
})

/** Milliseconds until the answer of a stranger begins: the middle of some. */
const firstTokens = Effect.fnUntraced(function* (token: string) {
  const { port } = yield* Running
  const times = []
  for (let n = 0; n < 12; n++)
    times.push(
      yield* Effect.promise(async () => {
        const from = performance.now()
        const response = await fetch(`http://127.0.0.1:${port}/messages/stream`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
          body: JSON.stringify({ content: "Me too?" })
        })
        const reader = response.body?.getReader()
        await reader?.read()
        const time = performance.now() - from
        await reader?.cancel()
        return time
      })
    )
  return times.toSorted((one, other) => one - other)[6] ?? Number.NaN
})

layer(Other.with({ ...PRICED, MOCK_TTFT_MS: "0" }), { timeout: "120 seconds", excludeTestServices: true })(
  "a flood of one tenant",
  (it) => {
    it.effect("of questions that its limits let through and refuse does not hold up another tenant's first token", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const quiet = yield* signUp(send)
        const loud = yield* signUp(send)
        const key = yield* makeKey(send, loud.token)
        yield* limit(loud.tenant, `key:${key.id}`, { requests_per_minute: "60", budget: "1", budget_period: "'day'" })
        yield* limit(loud.tenant, "tenant", { concurrent: "10", tokens_per_minute: "100000" })
        yield* firstTokens(quiet.token)
        const alone = yield* firstTokens(quiet.token)
        const [answers, beside] = yield* Effect.all([flood(key.key), firstTokens(quiet.token)], { concurrency: 2 })
        const told = JSON.stringify({ alone, beside, outcomes: counted(answers) })
        assert.isAbove(counted(answers)["429 limit_reached"] ?? 0, 100, told)
        // The machine is busy with the flood; but nobody waits for its end.
        assert.isBelow(beside, 10 * alone + 500, told)
      })
    )
  }
)
