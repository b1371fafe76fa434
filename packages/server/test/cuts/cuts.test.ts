import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { connect, rows } from "@llm-saas/database/connections/Script"
import { Effect } from "effect"
import { type Person, signUp } from "../People.ts"
import { Running } from "../Running.ts"
import { chance, type Outcome, send, type Sent } from "./Cutting.ts"
import { callsFor, type Hand, OPERATIONS, requestFor } from "./Operations.ts"

/** Number of requests, and the seed that chooses them; a longer run: `CUTS=20000`. */
const CUTS = Number(process.env["CUTS"] ?? 1000)
const SEED = Number(process.env["CUTS_SEED"] ?? Math.floor(Math.random() * 2 ** 31))
const AT_ONCE = 16
/** The report opens and ends three transactions by itself: it is requested more often than the rest. */
const REPORT = ["GET", "/tenants/{id}/isolation-report"] as const

/** Every fifth request is awaited, so that there is something to lose. */
const QUESTION = ["POST", "/messages"] as const

/** Operations that create something. */
const MAKING = ["POST /messages", "POST /conversations", "POST /admin/users"]

/** Notes what was acknowledged. */
const acknowledge = (hand: Hand, { method, path }: Sent, { status, text }: Outcome & { kind: "answered" }) => {
  if (status !== 201 || !MAKING.includes(`${method} ${path}`)) return
  const made = JSON.parse(text)
  if (path === "/conversations") hand.conversations.add(made.id)
  else if (path === "/admin/users") hand.users.add(made.id)
  else if (made.conversation_id === null) {
    hand.messages.add(made.id)
    hand.generations.add(made.generation_id)
  }
}

/** Polls until it is so, for a minute. */
const eventually = <E, R>(what: string, so: Effect.Effect<boolean, E, R>) =>
  Effect.gen(function* () {
    for (const began = performance.now(); !(yield* so); yield* Effect.sleep("50 millis"))
      assert.isBelow(performance.now() - began, 60_000, `never: ${what}`)
  })

/** Why the answer is wrong; undefined if it is right. */
const wrong = (outcome: Outcome, strangers: ReadonlyArray<Person>): string | undefined => {
  if (outcome.kind === "cut") return undefined
  const { status, text, whole } = outcome
  if (status === 0 || status >= 500 || !whole) return "the server failed"
  // The answer is reported as lost, although its process is running.
  if (text.includes("process_lost")) return "an answer was lost"
  return strangers.some(({ id, tenant }) => text.includes(id) || text.includes(tenant))
    ? "it is another tenant's"
    : undefined
}

layer(
  Running.with({
    DATABASE_POOL_SIZE: "6",
    MOCK_TOKENS: "12",
    MOCK_TTFT_MS: "5",
    MOCK_DELAY_MS: "2",
    STREAM_GRACE_SECONDS: "1",
    GENERATIONS_PER_USER: "100"
  }),
  { timeout: "900 seconds", excludeTestServices: true }
)(`${CUTS} requests of three tenants, cut at random moments (CUTS_SEED=${SEED})`, (it) => {
  it.effect(
    "answer nothing wrong, lose nothing that was acknowledged, and leave every connection and loop as it was",
    () =>
      Effect.gen(function* () {
        const { port, process: server, send: ask } = yield* Running
        const people = [yield* signUp(ask), yield* signUp(ask), yield* signUp(ask)]
        const hands = people.map((person): Hand => ({
          person,
          messages: new Set(),
          conversations: new Set(),
          users: new Set(),
          generations: new Set()
        }))
        const faults: Array<string> = []
        const counts = { answered: 0, cut: 0 }
        yield* Effect.forEach(
          Array.from({ length: CUTS }, (_, n) => n),
          (n) =>
            Effect.promise(async () => {
              const next = chance(SEED + n)
              const hand = hands[n % hands.length]
              if (hand === undefined) return
              const which = Math.floor(next() * (OPERATIONS.length + 8))
              const operation = n % 15 < 3 ? QUESTION : (OPERATIONS[which] ?? (which % 2 === 0 ? REPORT : undefined))
              const sent = operation === undefined ? callsFor(hand, next) : requestFor(operation, hand, next)
              const whole = operation === QUESTION || next() < 0.25
              const outcome = await send(port, sent, whole ? undefined : next() * 30)
              counts[outcome.kind]++
              const strangers = people.filter((person) => person !== hand.person)
              const why = wrong(outcome, strangers)
              if (why !== undefined)
                faults.push(`${n}: ${sent.method} ${sent.path}: ${why}: ${JSON.stringify(outcome)}`)
              else if (outcome.kind === "answered") acknowledge(hand, sent, outcome)
            }),
          { concurrency: AT_ONCE, discard: true }
        )
        assert.deepStrictEqual(
          faults.slice(0, 5),
          [],
          `${faults.length} of ${CUTS}; ${server.output().stderr.slice(-2000)}`
        )
        assert.isAbove(Math.min(counts.answered, counts.cut), CUTS / 10)

        // Everything acknowledged exists.
        for (const { conversations, messages, person } of hands) {
          const { token } = person
          assert.isAbove(messages.size, 0)
          for (const [kind, ids] of Object.entries({ messages, conversations })) {
            for (const id of ids) {
              const found = yield* ask("GET", `/${kind}/${id}`, { token })
              assert.deepStrictEqual([found.status, found.body["id"]], [200, id])
              if (kind === "messages") assert.strictEqual(found.body["content"], `of ${person.tenant}`)
            }
          }
        }
        const { adminUrl, name } = yield* TestDatabase
        const administrator = yield* connect(adminUrl)
        const [lost] = yield* rows(
          administrator,
          "select count(*)::int4 as n from app.generations where failure = 'process_lost'"
        )
        assert.deepStrictEqual(lost, { n: 0 })

        // The service is ready, on every connection and for every user.
        const ready = yield* ask("GET", "/ready")
        assert.deepStrictEqual([ready.status, ready.body], [200, { status: "ok" }])
        yield* Effect.forEach(
          Array.from({ length: 90 }, (_, n) => n),
          (n) =>
            Effect.gen(function* () {
              const person = people[n % 3]
              const me = yield* ask("GET", "/me", { token: person?.token ?? "" })
              assert.deepStrictEqual([me.status, me.body["id"]], [200, person?.id])
            }),
          { concurrency: 30 }
        )
        // Answers that nobody waits for may still be generated, and a lease be renewed.
        yield* eventually(
          "every connection is idle",
          Effect.map(
            rows(
              administrator,
              "select state from pg_stat_activity where datname = $1 and usename = 'llm_api' and (state <> 'idle' or xact_start is not null)",
              [name]
            ),
            (busy) => busy.length === 0
          )
        )

        // New tokens are still stored as they come.
        const [person] = people
        void send(
          port,
          { method: "POST", path: "/messages/stream", token: person?.token, body: { content: "Still?" } },
          undefined
        )
        yield* eventually(
          "the answer is stored",
          Effect.map(
            rows(
              administrator,
              "select from app.generations g join app.messages m on m.id = g.message_id where m.content = 'Still?' and g.status = 'completed'"
            ),
            (stored) => stored.length === 1
          )
        )
      }).pipe(Effect.scoped),
    900_000
  )
})
