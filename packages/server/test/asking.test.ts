import { assert, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Fiber } from "effect"
import { randomUUID } from "node:crypto"
import { exchange, open, read } from "./http/Serving.ts"
import { type Person, signUp } from "./People.ts"
import { Running, running, type Send } from "./Running.ts"
import { EventSource } from "./sse/EventSource.ts"
import { type Reading, sendTo } from "./sse/Reading.ts"

const QUICK = { MOCK_TOKENS: "8", MOCK_TTFT_MS: "0", MOCK_DELAY_MS: "0" }
/** Two seconds of an answer: long enough to be cut in the middle. */
const LONG = { MOCK_TOKENS: "100", MOCK_TTFT_MS: "0", MOCK_DELAY_MS: "20" }

const eventsOf = (text: string) => new EventSource().feed(new TextEncoder().encode(text)).events
const idOf = (reading: Reading) => String(reading.headers["x-generation-id"])

/** What can be read as soon as the connection is cut: the data of whole events, and the last one's id. */
const received = (text: string) => {
  const events = eventsOf(text)
  return { tokens: events.map(({ data }) => data), last: events.at(-1)?.lastEventId ?? "" }
}

const execute = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

const ask = (port: number, { token }: Person, content: string) =>
  sendTo(port, "POST", "/messages/stream", { token, json: { content } })

const follow = (port: number, { token }: Person, place: string) =>
  sendTo(port, "GET", `/generations/${place.split(":")[0]}/stream`, { token, headers: { "last-event-id": place } })

const get = (send: Send, { token }: Person, path: string) =>
  Effect.map(send("GET", path, { token }), ({ body }) => body)

layer(Running.with(LONG), { timeout: "120 seconds" })("an answer of two processes on one database", (it) => {
  it.effect("is cut at one and resumed at the other: every token once, the model asked once", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const other = yield* running(LONG)
      const person = yield* signUp(send)
      const first = yield* ask(port, person, "What is a room made of?")
      const id = idOf(first)
      yield* first.until((text) => eventsOf(text).length >= 10)
      first.leave()
      const begun = received((yield* first.end).text)
      // Hops between the two for as long as it lasts.
      const parts = [begun.tokens]
      let { last } = begun
      for (let hop = 0; last !== ""; hop++) {
        const reading = yield* follow(hop % 2 === 0 ? other.port : port, person, last)
        assert.strictEqual(reading.status, 200)
        yield* Effect.raceFirst(
          reading.end,
          reading.until((text) => eventsOf(text).length >= 20)
        )
        reading.leave()
        const { text } = yield* reading.end
        const more = received(text)
        parts.push(more.tokens)
        last = more.tokens.includes("[DONE]") ? "" : more.last
      }
      assert.isAtLeast(parts.length, 4)
      const tokens = parts.flat()
      assert.strictEqual(tokens.length, 101)
      assert.strictEqual(tokens.pop(), "[DONE]")
      const generation = yield* get(other.send, person, `/generations/${id}`)
      assert.deepInclude(generation, { status: "completed", seq: 100, text: tokens.join("") })
      const message = yield* get(send, person, `/messages/${String(generation["message_id"])}`)
      assert.deepInclude(message, { response: tokens.join(""), content: "What is a room made of?", tokens_out: 100 })
      assert.deepStrictEqual(yield* execute(`select count(*)::int as asked from app.generations where id = '${id}'`), [
        { asked: 1 }
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("is asked once by one Idempotency-Key, at whichever process", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const other = yield* running(QUICK)
      const person = yield* signUp(send)
      const once = (process: Send) =>
        process("POST", "/messages", {
          token: person.token,
          json: { content: "Once?" },
          headers: { "idempotency-key": "once" }
        })
      const first = yield* once(other.send)
      const [here, there] = [yield* once(send), yield* once(other.send)]
      assert.strictEqual(first.status, 201)
      for (const again of [here, there]) assert.deepStrictEqual([again.status, again.body], [201, first.body])
      const { data } = yield* get(send, person, "/messages")
      assert.deepStrictEqual(data, [first.body])
    }).pipe(Effect.scoped)
  )

  it.effect("is kept as far as it came when its process is killed, and says so to a reader that comes back", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const doomed = yield* running(LONG)
      const person = yield* signUp(send)
      const reading = yield* ask(doomed.port, person, "What is left of me?")
      const id = idOf(reading)
      yield* reading.until((text) => eventsOf(text).length >= 30)
      doomed.process.child.kill("SIGKILL")
      const { text, whole } = yield* reading.end
      assert.isFalse(whole)
      const got = received(text)
      // Its lease would run out in half a minute.
      yield* execute(`update app.generations set lease_until = now() where id = '${id}'`)
      const rest = yield* follow(port, person, got.last)
      const ended = rest.status === 200 ? eventsOf((yield* rest.end).text) : []
      for (const { data, event } of ended.slice(0, -1)) {
        assert.strictEqual(event, "message")
        got.tokens.push(data)
      }
      if (rest.status === 200) assert.strictEqual(ended.at(-1)?.event, "error")
      else assert.strictEqual(rest.status, 503)
      const kept = yield* get(send, person, `/generations/${id}`)
      assert.deepInclude(kept, { status: "interrupted", failure: "process_lost" })
      assert.isAtLeast(Number(kept["seq"]), 10)
      // What was seen and what is kept differ by no more than the last quarter of a second.
      assert.isAtMost(Math.abs(got.tokens.length - Number(kept["seq"])), 40)
      assert.isTrue(got.tokens.join("").startsWith(String(kept["text"]).slice(0, 20)))
    }).pipe(Effect.scoped)
  )

  it.effect("ends before a shutdown does: whole where there is time, as interrupted where there is not", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const stopping = yield* running({ ...LONG, SHUTDOWN_SECONDS: "1" })
      const patient = yield* running({ ...LONG, MOCK_TOKENS: "30", SHUTDOWN_SECONDS: "600" })
      const person = yield* signUp(send)
      // A client's kept-alive connection does not delay the shutdown.
      const kept = yield* open(patient.port)
      const keeping = yield* Effect.forkScoped(read(kept))
      kept.write(
        `GET /messages/stream?content=Later%3F HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${person.token}\r\n\r\n`
      )
      const cut = yield* ask(stopping.port, person, "Do you stop?")
      const whole = yield* ask(patient.port, person, "Do you wait?")
      yield* cut.until((text) => eventsOf(text).length >= 5)
      yield* whole.until((text) => eventsOf(text).length >= 5)
      stopping.process.child.kill("SIGTERM")
      patient.process.child.kill("SIGTERM")
      const first = yield* cut.end
      assert.isTrue(first.whole)
      const last = eventsOf(first.text).at(-1)
      assert.strictEqual(last?.event, "error")
      assert.deepInclude(JSON.parse(last?.data ?? ""), {
        code: "model_unavailable",
        reason: "shutdown",
        generation_id: idOf(cut)
      })
      const tokens = received(first.text).tokens.slice(0, -1)
      const second = yield* whole.end
      assert.strictEqual(eventsOf(second.text).length, 31)
      assert.strictEqual(eventsOf(second.text).at(-1)?.data, "[DONE]")
      assert.match(yield* Fiber.join(keeping), /connection: keep-alive[\s\S]*data: \[DONE\]\n\n\r\n0\r\n\r\n$/iu)
      for (const each of [stopping, patient])
        assert.deepStrictEqual(yield* each.process.ended, { code: 0, signal: null })
      assert.deepInclude(yield* get(send, person, `/generations/${idOf(cut)}`), {
        status: "interrupted",
        failure: "shutdown",
        text: tokens.join("")
      })
      assert.deepInclude(yield* get(send, person, `/generations/${idOf(whole)}`), { status: "completed", seq: 30 })
    }).pipe(Effect.scoped)
  )
})

/** A question that says how the mock model is to answer it. */
const wish = (how: object) => `[[mock ${JSON.stringify(how)}]]`

layer(Running.with({ ...QUICK, GENERATIONS_PER_USER: "3", STREAM_GRACE_SECONDS: "0" }), { timeout: "120 seconds" })(
  "a model that",
  (it) => {
    it.effect(
      "fails before its first token is answered with its status, with the whole answer or a stream asked for",
      () =>
        Effect.gen(function* () {
          const { port, send } = yield* Running
          const person = yield* signUp(send)
          for (const [fault, status, code, retryAfter] of [
            ["before", 502, "model_failed", undefined],
            ["rate-limit", 503, "model_unavailable", "7"]
          ] as const) {
            const json = { content: wish({ fault }) }
            for (const path of ["/messages", "/messages/stream"]) {
              const answer = yield* sendTo(port, "POST", path, { token: person.token, json })
              const { text } = yield* answer.end
              assert.deepStrictEqual(
                [answer.status, answer.headers["content-type"], answer.headers["retry-after"]],
                [status, "application/problem+json", retryAfter]
              )
              const body: Readonly<Record<string, unknown>> = JSON.parse(text)
              assert.strictEqual(body["code"], code)
              const kept = yield* get(send, person, `/generations/${String(body["generation_id"])}`)
              assert.deepInclude(kept, { status: "failed", failure: body["reason"], text: "" })
            }
          }
        }).pipe(Effect.scoped)
    )

    it.effect("fails in the middle ends its stream with an error, and what it said is kept", () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const person = yield* signUp(send)
        const reading = yield* ask(port, person, wish({ fault: "middle", tokens: 20 }))
        const events = eventsOf((yield* reading.end).text)
        assert.deepStrictEqual(
          events.map(({ event }) => event),
          [...Array.from({ length: 10 }, () => "message"), "error"]
        )
        assert.deepInclude(JSON.parse(events.at(-1)?.data ?? ""), { code: "model_failed", reason: "model_cut" })
        const said = events.slice(0, -1).map(({ data }) => data)
        const kept = yield* get(send, person, `/generations/${idOf(reading)}`)
        assert.deepInclude(kept, { status: "failed", failure: "model_cut", text: said.join("") })
      }).pipe(Effect.scoped)
    )

    it.effect("says what could be taken for an event is only quoted", () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const person = yield* signUp(send)
        const say = [
          "[DONE]",
          "\n\ndata: [DONE]\n\n",
          "a\r",
          "\nb",
          "\r\r",
          "\ud83d",
          "\udfe0",
          "event: error\n",
          "\n[DONE]\n",
          ": x"
        ]
        const reading = yield* ask(port, person, wish({ say }))
        const events = eventsOf((yield* reading.end).text)
        const expected = say.join("").replaceAll(/\r\n?/gu, "\n")
        assert.strictEqual(events.pop()?.data, "[DONE]")
        assert.strictEqual(events.map(({ data }) => data).join(""), expected)
        for (const { data, event } of events) {
          assert.strictEqual(event, "message")
          assert.isFalse(data.split("\n").some((line) => line.trim() === "[DONE]"))
        }
        const kept = yield* get(send, person, `/generations/${idOf(reading)}`)
        assert.deepInclude(kept, { status: "completed", text: expected, seq: events.length })
      }).pipe(Effect.scoped)
    )

    it.effect("never ends is stopped when its last reader leaves, and each user may have only so many", () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const person = yield* signUp(send)
        const stalled = yield* Effect.forEach([1, 2, 3], () => ask(port, person, wish({ fault: "stall", tokens: 2 })))
        const refused = yield* ask(port, person, "One too many?")
        assert.deepStrictEqual([refused.status, refused.headers["retry-after"]], [429, "2"])
        const other = yield* signUp(send, person.tenant)
        assert.strictEqual((yield* ask(port, other, "Somebody else?")).status, 200)
        for (const reading of stalled) {
          yield* reading.until((text) => eventsOf(text).length === 1)
          reading.leave()
        }
        for (const reading of stalled) {
          // Cancelling waits for the end, whatever caused it.
          const ended = yield* send("POST", `/generations/${idOf(reading)}/cancel`, { token: person.token })
          assert.deepInclude(ended.body, { status: "cancelled", seq: 1 })
        }
        assert.strictEqual((yield* ask(port, person, "And now?")).status, 200)
      }).pipe(Effect.scoped)
    )

    it.effect("is waited for by a client that then sends garbage disturbs no other request", () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const person = yield* signUp(send)
        const body = JSON.stringify({ content: wish({ ttft: 200, delay: 20, tokens: 5 }) })
        const answer = yield* exchange(
          port,
          `POST /messages/stream HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${person.token}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}garbage\r\n\r\n`
        )
        assert.include([400, 405], answer.status)
        const next = yield* ask(port, person, wish({ ttft: 600 }))
        assert.strictEqual(eventsOf((yield* next.end).text).at(-1)?.data, "[DONE]")
      }).pipe(Effect.scoped)
    )
  }
)

layer(Running.with(QUICK), { timeout: "120 seconds" })("an answer whose reader was cut off", (it) => {
  it.effect("goes on while its process stops, and is whole at another one", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const stopping = yield* running({ ...LONG, MOCK_TOKENS: "60" })
      const person = yield* signUp(send)
      const cut = yield* ask(stopping.port, person, "Do you go on?")
      yield* cut.until((text) => eventsOf(text).length >= 5)
      cut.leave()
      const begun = received((yield* cut.end).text)
      stopping.process.child.kill("SIGTERM")
      const rest = yield* follow(port, person, begun.last)
      const tokens = [...begun.tokens, ...received((yield* rest.end).text).tokens]
      assert.strictEqual(tokens.pop(), "[DONE]")
      assert.strictEqual(tokens.length, 60)
      assert.deepStrictEqual(yield* stopping.process.ended, { code: 0, signal: null })
      const kept = yield* get(send, person, `/generations/${idOf(cut)}`)
      assert.deepInclude(kept, { status: "completed", seq: 60, text: tokens.join("") })
    }).pipe(Effect.scoped)
  )
})

layer(Running.with(QUICK), { timeout: "120 seconds" })("what was asked", (it) => {
  const asked = Effect.fnUntraced(function* (person: Person, content: string, conversation_id?: unknown) {
    const { send } = yield* Running
    const answer = yield* send("POST", "/messages", {
      token: person.token,
      json: { content, ...(conversation_id === undefined ? {} : { conversation_id }) }
    })
    assert.strictEqual(answer.status, 201, JSON.stringify(answer.body))
    return answer.body
  })

  /** Reads a list to its end, a page of three at a time, while `meanwhile` goes on between pages. */
  const pages = Effect.fnUntraced(function* (
    person: Person,
    path: string,
    meanwhile: Effect.Effect<unknown, never, Running>
  ) {
    const { send } = yield* Running
    const found: Array<unknown> = []
    let cursor: unknown = undefined
    do {
      const more = `limit=3${typeof cursor === "string" ? `&cursor=${cursor}` : ""}`
      const { body, status } = yield* send("GET", `${path}${path.includes("?") ? "&" : "?"}${more}`, {
        token: person.token
      })
      assert.strictEqual(status, 200)
      const { data } = body
      if (!Array.isArray(data)) return assert.fail("no page")
      found.push(...data.map(({ id }: { readonly id: unknown }) => id))
      cursor = body["next_cursor"]
      yield* meanwhile
    } while (cursor !== null)
    return found
  })

  it.effect("is rated by every user who can see it, as often as they change their mind", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const owner = yield* signUp(send)
      const colleague = yield* signUp(send, owner.tenant)
      const stranger = yield* signUp(send)
      const { id } = yield* asked(owner, "Was that any good?")
      const rate = (person: Person, json: unknown, of = id) =>
        send("POST", `/messages/${String(of)}/feedback`, { token: person.token, json })
      const first = yield* rate(owner, { rating: -1, comment: "No." })
      assert.strictEqual(first.status, 200, JSON.stringify(first.body))
      assert.deepInclude(first.body, { message_id: id, user_id: owner.id, rating: -1, comment: "No." })
      const second = yield* rate(owner, { rating: 0.5 })
      assert.deepInclude(second.body, { rating: 0.5, comment: null, created_at: first.body["created_at"] })
      assert.deepStrictEqual(
        yield* execute(`select rating, comment, revision from app.feedback where message_id = '${String(id)}'`),
        [{ rating: 0.5, comment: null, revision: 2 }]
      )
      for (const json of [{}, { rating: "1" }, { rating: 1e9 }, { rating: null }, { rating: 1, comment: " " }])
        assert.strictEqual((yield* rate(owner, json)).status, 400, JSON.stringify(json))
      for (const person of [colleague, stranger]) {
        const hidden = yield* rate(person, { rating: 1 })
        assert.deepStrictEqual([hidden.status, hidden.body["code"]], [404, "message_not_found"])
      }
      assert.strictEqual((yield* rate(owner, { rating: 1 }, randomUUID())).status, 404)
    })
  )

  it.effect("is listed newest first, complete and without duplicates while more is asked", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const admin = yield* signUp(send)
      const user = yield* signUp(send, admin.tenant)
      const conversation = (yield* send("POST", "/conversations", { token: user.token, json: {} })).body["id"]
      const mine = yield* Effect.forEach([1, 2, 3, 4, 5, 6, 7], (n) => asked(user, `Question ${n}`, conversation))
      const ids = mine.map(({ id }) => id).toReversed()
      assert.deepStrictEqual(yield* pages(user, "/messages", asked(user, "Meanwhile")), ids)
      assert.deepStrictEqual(
        yield* pages(user, `/conversations/${String(conversation)}/messages`, asked(user, "Meanwhile", conversation)),
        ids
      )
      // The database writes lists, and the program single messages: they are the same to the letter.
      const quoted = yield* asked(user, 'Which "quotes",\u0001 \\ and 😀\u2028 lines?', conversation)
      const one = yield* send("GET", `/messages/${String(quoted["id"])}`, { token: user.token })
      for (const path of ["/messages", `/conversations/${String(conversation)}/messages`]) {
        const { data } = (yield* send("GET", `${path}?limit=1`, { token: user.token })).body
        assert.deepStrictEqual(data, [one.body], path)
      }
      const everybodys = yield* pages(admin, "/messages?scope=tenant", Effect.void)
      assert.includeMembers(everybodys, ids)
      assert.strictEqual(new Set(everybodys).size, everybodys.length)
      assert.deepStrictEqual(yield* pages(admin, "/messages", Effect.void), [])
      const refused = yield* send("GET", "/messages?scope=tenant", { token: user.token })
      assert.deepStrictEqual([refused.status, refused.body["code"]], [403, "forbidden"])
      for (const wrong of ["limit=0", "limit=101", "limit=0x10", "cursor=zzz", "scope=all"])
        assert.strictEqual((yield* send("GET", `/messages?${wrong}`, { token: user.token })).status, 400, wrong)
    })
  )

  it.effect("belongs to a conversation that is named by its first question, renamed, and removed with everything", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { token, ...person } = yield* signUp(send)
      const made = yield* send("POST", "/conversations", { token, json: {} })
      assert.deepStrictEqual([made.status, made.body["title"], made.body["user_id"]], [201, null, person.id])
      const path = `/conversations/${String(made.body["id"])}`
      const first = yield* asked({ token, ...person }, "What is a room?\nTell me.", made.body["id"])
      assert.strictEqual(first["conversation_id"], made.body["id"])
      assert.strictEqual((yield* send("GET", path, { token })).body["title"], "What is a room? Tell me.")
      const renamed = yield* send("PATCH", path, { token, json: { title: "Rooms" } })
      assert.deepStrictEqual([renamed.status, renamed.body["title"]], [200, "Rooms"])
      for (const title of ["", " ", "a\nb", "x".repeat(201), 7])
        assert.strictEqual((yield* send("PATCH", path, { token, json: { title } })).status, 400)
      assert.deepStrictEqual((yield* send("GET", "/conversations", { token })).body["data"], [renamed.body])
      assert.strictEqual((yield* send("DELETE", path, { token })).status, 204)
      for (const gone of [path, `${path}/messages`, `/messages/${String(first["id"])}`])
        assert.strictEqual((yield* send("GET", gone, { token })).status, 404, gone)
    })
  )

  it.effect("does not exist for any other user: its ids answer like ids that never were", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const owner = yield* signUp(send)
      const conversation = (yield* send("POST", "/conversations", { token: owner.token, json: {} })).body["id"]
      const message = yield* asked(owner, "A secret?", conversation)
      const routes = [
        ["GET", "/messages/:message", undefined],
        ["DELETE", "/messages/:message", undefined],
        ["GET", "/conversations/:conversation", undefined],
        ["PATCH", "/conversations/:conversation", { title: "Mine" }],
        ["DELETE", "/conversations/:conversation", undefined],
        ["GET", "/conversations/:conversation/messages", undefined],
        ["GET", "/generations/:generation", undefined],
        ["GET", "/generations/:generation/stream", undefined],
        ["POST", "/generations/:generation/cancel", undefined],
        ["POST", "/messages", { content: "In there?", conversation_id: ":conversation" }],
        ["POST", "/messages/stream", { content: "In there?", conversation_id: ":conversation" }],
        ["GET", "/messages/stream?content=x&conversation_id=:conversation", undefined]
      ] as const
      const theirs = {
        message: String(message["id"]),
        conversation: String(conversation),
        generation: String(message["generation_id"])
      }
      const never = { message: randomUUID(), conversation: randomUUID(), generation: randomUUID() }
      const fill = (text: string, ids: typeof theirs) =>
        text.replace(/:(message|conversation|generation)\b/u, (_, name: keyof typeof theirs) => ids[name])
      // A stranger of another tenant, admin of theirs; and a colleague, who is no admin.
      for (const { token } of [yield* signUp(send), yield* signUp(send, owner.tenant)]) {
        for (const [method, path, body] of routes) {
          const [foreign, unknown] = yield* Effect.forEach([theirs, never], (ids) =>
            send(method, fill(path, ids), {
              token,
              ...(body === undefined ? {} : { json: JSON.parse(fill(JSON.stringify(body), ids)) })
            })
          )
          assert.strictEqual(foreign?.status, 404, `${method} ${path}`)
          assert.deepStrictEqual({ ...foreign?.body, request_id: "" }, { ...unknown?.body, request_id: "" })
        }
      }
      assert.strictEqual((yield* send("GET", `/messages/${theirs.message}`, { token: owner.token })).status, 200)
    })
  )

  it.effect("needs a token, wherever it is asked for", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      for (const path of ["/messages", "/messages/stream?content=x", "/conversations", `/generations/${randomUUID()}`])
        assert.strictEqual((yield* send("GET", path)).status, 401, path)
      assert.strictEqual((yield* send("POST", "/messages", { json: { content: "x" } })).status, 401)
    })
  )
})
