import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { signUp } from "../People.ts"
import { Running, running } from "../Running.ts"
import { accountOf, costOf, counted, differences, first, limit, makeKey, PRICED, query } from "./Account.ts"
import { Crash } from "./Crash.ts"

const CONTENT = "What survives?"
const CLIENTS = 24

/** Asks, and says which answer began, and how it ended. */
const ask = (port: number, token: string) =>
  Effect.promise(async () => {
    let generation: string | null = null
    try {
      const response = await fetch(`http://127.0.0.1:${port}/messages/stream`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ content: CONTENT })
      })
      generation = response.headers.get("x-generation-id")
      const text = await response.text()
      return { status: response.status, generation, whole: text.includes("[DONE]"), body: {} }
    } catch {
      return { status: 0, generation, whole: false, body: {} }
    }
  })

const SERVER = Layer.provideMerge(
  Layer.effect(
    Running,
    Effect.suspend(() => running({ ...PRICED, DATABASE_POOL_SIZE: "8" }))
  ),
  Crash.layer
)

layer(SERVER, { timeout: "180 seconds", excludeTestServices: true })("a crash of PostgreSQL under load", (it) => {
  it.effect("admits nothing without its row, and loses or doubles no entry of the ledger", () =>
    Effect.gen(function* () {
      const { now } = yield* Crash
      const { port, send } = yield* Running
      const cost = yield* costOf(send, (yield* signUp(send)).token, CONTENT)
      const { tenant, token } = yield* signUp(send)
      const key = yield* makeKey(send, token)
      yield* limit(tenant, "tenant", {
        budget: `100000 * ${cost}`,
        budget_period: "'day'",
        tokens_per_minute: "10000000"
      })
      yield* limit(tenant, `key:${key.id}`, { budget: `90000 * ${cost}`, budget_period: "'total'", concurrent: "1000" })

      // Each client asks until PostgreSQL is back for a while.
      const state = { over: false }
      const client = Effect.gen(function* () {
        const answers = []
        while (!state.over) answers.push(yield* ask(port, key.key))
        return answers
      })
      const crashes = Effect.gen(function* () {
        for (let n = 0; n < 2; n++) {
          yield* Effect.sleep("1 second")
          yield* now
        }
        yield* Effect.sleep("2 seconds")
        state.over = true
      })
      const [all] = yield* Effect.all(
        [
          Effect.map(
            Effect.all(
              Array.from({ length: CLIENTS }, () => client),
              { concurrency: "unbounded" }
            ),
            (each) => each.flat()
          ),
          crashes
        ],
        { concurrency: "unbounded" }
      )
      const begun = all.flatMap(({ generation, whole }) => (generation === null ? [] : [{ generation, whole }]))
      const whole = begun.filter((each) => each.whole)
      const ids = (rows: ReadonlyArray<{ readonly generation: string }>) =>
        rows.map(({ generation }) => `'${generation}'`).join(",")

      // Those whose client was told to come back: their rows may be there, and are nobody's.
      yield* query(`update app.generations set lease_until = now() - interval '1 second' where status = 'streaming'`)
      while (Number((yield* first("select work.sweep(100) as count"))["count"]) > 0);
      const account = yield* accountOf(tenant)
      const told = JSON.stringify({ outcomes: counted(all), begun: begun.length, whole: whole.length, account })
      const { booked, ended, kept } = yield* first(
        `select (select count(*)::int from app.generations where id in (${ids(begun)})) as kept,
           (select count(*)::int from app.generations where id in (${ids(whole)}) and status = 'completed') as ended,
           (select count(*)::int from app.ledger where generation_id in (${ids(whole)}) and tenant_amount = ${cost}) as booked`
      )
      assert.deepStrictEqual(
        { kept, ended, booked },
        { kept: begun.length, ended: whole.length, booked: whole.length },
        told
      )
      assert.isAbove(whole.length, CLIENTS, told)
      for (const { reserved, spent, subject } of account.budgets)
        assert.deepStrictEqual({ subject, spent, reserved }, { subject, spent: account.ledger, reserved: "0" }, told)
      assert.lengthOf(account.budgets, 2, told)
      assert.deepStrictEqual(yield* differences, [], told)
    }).pipe(Effect.scoped)
  )
})
