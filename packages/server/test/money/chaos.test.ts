import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { chance, type Outcome, send } from "../cuts/Cutting.ts"
import { type Person, signUp } from "../People.ts"
import { Running } from "../Running.ts"
import { accountOf, costOf, counted, differences, ended, first, limit, makeKey, PRICED, query } from "./Account.ts"
import { Other } from "./TwoProcesses.ts"

/** The seed of what each request does; `MONEY_SEED` repeats a run. */
const SEED = Number(process.env["MONEY_SEED"] ?? Math.floor(Math.random() * 2 ** 31))
const REQUESTS = 160
const CONTENT = "What becomes of what is cut?"
const SERVER = { ...PRICED, MOCK_TOKENS: "30" }

/** What a client does: waits, reads a stream, or leaves after some milliseconds. */
const WAYS = [
  { path: "/messages", body: { content: CONTENT } },
  { path: "/messages/stream", body: { content: CONTENT } },
  { path: "/v1/chat/completions", body: { model: "mock-1", messages: [{ role: "user", content: CONTENT }] } },
  {
    path: "/v1/chat/completions",
    body: { model: "mock-1", stream: true, messages: [{ role: "user", content: CONTENT }] }
  },
  { path: "/v1/responses", body: { model: "mock-1", stream: true, input: CONTENT } },
  // The provider fails after half of the answer, or does not say what it counted.
  { path: "/messages", body: { content: `${CONTENT} [[mock {"fault": "middle"}]]` } },
  { path: "/messages", body: { content: `${CONTENT} [[mock {"fault": "no-usage"}]]` } }
]

/** Ends answers of the process that was killed, as a sweep does 30 seconds later. */
const sweep = (tenant: string, lives: unknown) =>
  Effect.gen(function* () {
    yield* query(
      `update app.generations set lease_until = now() - interval '1 second'
       where tenant_id = '${tenant}' and status = 'streaming' and lease_owner <> '${String(lives)}'`
    )
    while (Number((yield* first("select work.sweep(100) as count"))["count"]) > 0);
  })

/** Cancels answers that run, whichever process has them. */
const cancelSome = (port: number, { tenant, token }: Person) =>
  Effect.gen(function* () {
    const running = yield* query(
      `select id from app.generations where tenant_id = '${tenant}' and status = 'streaming' order by id limit 3`
    )
    for (const { id } of running)
      yield* Effect.promise(() =>
        send(port, { method: "POST", path: `/generations/${String(id)}/cancel`, token }, undefined)
      )
  })

const status = (outcome: Outcome) =>
  outcome.kind === "cut" ? "cut" : outcome.whole ? String(outcome.status) : "not whole"

layer(Other.with(SERVER), { timeout: "120 seconds", excludeTestServices: true })(
  `${REQUESTS} questions at two processes, of which one is killed (MONEY_SEED=${SEED})`,
  (it) => {
    it.effect("cost what the ledger has, never more than the budget; and all that is left of it can be used", () =>
      Effect.gen(function* () {
        const one = yield* Running
        const other = yield* Other
        const next = chance(SEED)
        const cost = yield* costOf(one.send, (yield* signUp(one.send)).token, CONTENT)
        const person = yield* signUp(one.send)
        const { tenant, token } = person
        const key = yield* makeKey(one.send, token)
        const [lease] = yield* query("select lease_owner from app.generations order by created_at desc limit 1")
        yield* limit(tenant, "tenant", { budget: `60 * ${cost}`, budget_period: "'day'", tokens_per_minute: "1000000" })
        yield* limit(tenant, `key:${key.id}`, { budget: `45 * ${cost}`, budget_period: "'total'", concurrent: "40" })

        let done = 0
        const outcomes = yield* Effect.forEach(
          Array.from({ length: REQUESTS }, (_, n) => n),
          (n) =>
            Effect.gen(function* () {
              const way = WAYS[Math.floor(next() * WAYS.length)] ?? WAYS[0]
              const server = n % 2 === 0 ? one : other
              const after = next() < 0.4 ? next() * 200 : undefined
              const sent = { method: "POST", ...way, path: way?.path ?? "", token: next() < 0.7 ? key.key : token }
              const outcome = yield* Effect.promise(() => send(server.port, sent, after))
              done++
              if (done === REQUESTS / 2) other.process.child.kill("SIGKILL")
              if (n % 20 === 0) yield* cancelSome(one.port, person)
              return outcome
            }),
          { concurrency: 40 }
        )
        yield* other.process.ended
        yield* sweep(tenant, lease?.["lease_owner"])
        yield* ended(tenant)
        const ways = counted(outcomes.map((outcome) => ({ status: 0, body: { code: status(outcome) } })))
        const account = yield* accountOf(tenant)
        const told = JSON.stringify({ ways, account })
        const { above, differs, left, reserved } = yield* first(
          `select l.ledger > 60 * ${cost} or k.ledger > 45 * ${cost} as above,
             (select count(*)::int from app.budget_periods b where b.tenant_id = '${tenant}' and b.spent + coalesce((
                select sum(c.spent) from app.counter_changes c
                where c.tenant_id = b.tenant_id and c.subject = b.subject and c.period = b.period), 0)
                <> case b.subject when 'tenant' then l.ledger else k.ledger end) as differs,
             floor((60 * ${cost} - l.ledger) / ${cost})::int as left,
             ${JSON.stringify(account.budgets.filter(({ reserved }) => reserved !== "0").length)}::int as reserved
           from (select coalesce(sum(tenant_amount), 0) as ledger from app.ledger where tenant_id = '${tenant}') l,
             (select coalesce(sum(tenant_amount), 0) as ledger from app.ledger where tenant_id = '${tenant}' and key_id = '${key.id}') k`
        )
        assert.deepStrictEqual({ above, differs, reserved }, { above: false, differs: 0, reserved: 0 }, told)
        assert.deepStrictEqual(yield* differences, [], told)
        assert.isAbove(account.entries, 20, told)

        // All that is left can be used, and not more.
        const rest = []
        for (let n = 0; n <= Number(left); n++)
          rest.push(yield* one.send("POST", "/messages", { token, json: { content: CONTENT } }))
        assert.deepStrictEqual(
          counted(rest),
          { ...(Number(left) === 0 ? {} : { "201": Number(left) }), "429 budget_exhausted": 1 },
          JSON.stringify({ told, after: yield* accountOf(tenant) })
        )
        assert.deepStrictEqual(yield* differences, [])
      })
    )
  }
)
