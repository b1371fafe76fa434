import { assert, layer } from "@effect/vitest"
import { MessagePage } from "@llm-saas/api/MessagesApi"
import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Schema } from "effect"
import { type Person, signUp } from "./People.ts"
import { Running } from "./Running.ts"

const execute = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

const decode = Schema.decodeUnknownEffect(Schema.toCodecJson(MessagePage))

/** The pages of a search, as the contract has them. */
const pagesOf = Effect.fnUntraced(function* (who: Pick<Person, "token">, search: string, limit = 50) {
  const { send } = yield* Running
  const pages: Array<typeof MessagePage.Type> = []
  let cursor: string | undefined = undefined
  do {
    const query: string = new URLSearchParams({
      search,
      limit: String(limit),
      ...(cursor === undefined ? {} : { cursor })
    }).toString()
    const answer = yield* send("GET", `/messages?${query}`, { token: who.token })
    assert.strictEqual(answer.status, 200)
    pages.push(yield* Effect.orDie(decode(answer.body)))
    cursor = typeof answer.body["next_cursor"] === "string" ? answer.body["next_cursor"] : undefined
  } while (cursor !== undefined)
  return pages
})
const found = (who: Pick<Person, "token">, search: string, limit?: number) =>
  Effect.map(pagesOf(who, search, limit), (pages) => pages.flatMap(({ data }) => data.map(({ content }) => content)))

/** Asks, and returns the message's id. */
const ask = Effect.fnUntraced(function* ({ token }: Person, content: string, more: object = {}) {
  const { send } = yield* Running
  return String((yield* send("POST", "/messages", { token, json: { content, ...more } })).body["id"])
})

/** More messages like one of the user's, newer than all, a millisecond each, `later` milliseconds from now. `n` is the place of each. */
const copies = (id: string, count: number, content: string, response = "'Nothing.'", later = 0) =>
  execute(
    `insert into app.messages (tenant_id, id, user_id, content, response, token_lengths, account)
     select m.tenant_id, (lpad(to_hex(floor(extract(epoch from now()) * 1000)::int8 + ${later} + n), 12, '0') || '70008' || substr(md5(n::text), 1, 15))::uuid, m.user_id, ${content}, r.response, array[char_length(r.response)], m.account
     from app.messages m cross join generate_series(1, ${count}) n cross join lateral (select ${response} as response) r
     where m.id = '${id}'`
  )

layer(Running.with({ MOCK_TTFT_MS: "0", MOCK_DELAY_MS: "0", MOCK_TOKENS: "4" }), { timeout: "120 seconds" })(
  "a search in one's own history",
  (it) => {
    it.effect("finds a text in question or answer as it is written, in capital or small letters", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const person = yield* signUp(send)
        const conversation = yield* send("POST", "/conversations", { token: person.token, json: {} })
        const first = yield* ask(person, "Where do Äpfel grow?", { conversation_id: conversation.body["id"] })
        yield* ask(person, `100% of a_b, and c:\\d or '; drop table "x"; --`)
        yield* copies(first, 1, "'And pears?'", "'On TREES, of course.'")
        const [page] = yield* pagesOf(person, "äPFEL")
        assert.deepStrictEqual(
          page?.data.map(({ content, conversation_id, id }) => [id, content, conversation_id]),
          [[first, "Where do Äpfel grow?", conversation.body["id"]]]
        )
        assert.deepStrictEqual(yield* found(person, "trees, OF"), ["And pears?"])
        for (const text of ["100% of", "A_B", "c:\\D", `'; drop table "X"; --`, "of a_b, and"])
          assert.lengthOf(yield* found(person, text), 1, text)
        for (const text of ["a%b", "100_ of", "axb", "grow.", ".*", "\\\\", "Äpfel  grow"])
          assert.deepStrictEqual(yield* found(person, text), [], text)
        for (const search of ["", "a", "  ", "x".repeat(201)])
          assert.strictEqual(
            (yield* send("GET", `/messages?${new URLSearchParams({ search }).toString()}`, { token: person.token }))
              .status,
            400,
            search
          )
        assert.strictEqual((yield* send("GET", "/messages?search=pe%00ars", { token: person.token })).status, 400)
        assert.deepStrictEqual(yield* found(person, "👩‍🌾".repeat(30)), [])
        // What is deleted is not found.
        yield* send("DELETE", `/messages/${first}`, { token: person.token })
        assert.deepStrictEqual(yield* found(person, "äpfel"), [])
      })
    )

    it.effect("finds nothing of anybody else's: not of a colleague, not for an admin, not of another tenant", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const [admin, stranger] = [yield* signUp(send), yield* signUp(send)]
        const [user, colleague] = [yield* signUp(send, admin.tenant), yield* signUp(send, admin.tenant)]
        yield* ask(user, "The secret of the user")
        yield* ask(stranger, "The secret of the stranger")
        assert.deepStrictEqual(yield* found(user, "the SECRET"), ["The secret of the user"])
        for (const who of [admin, colleague]) assert.deepStrictEqual(yield* found(who, "secret"), [])
        assert.deepStrictEqual(yield* found(stranger, "secret"), ["The secret of the stranger"])
        const all = yield* send("GET", "/messages?search=secret&scope=tenant", { token: admin.token })
        assert.deepStrictEqual([all.status, all.body["code"]], [400, "invalid_request"])
        const keyOf = (scopes: ReadonlyArray<string>) =>
          Effect.map(send("POST", "/keys", { token: user.token, json: { name: "k", scopes } }), ({ body }) => ({
            token: String(body["key"])
          }))
        assert.lengthOf(yield* found(yield* keyOf(["messages:read"]), "secret"), 1)
        const other = yield* keyOf(["chat"])
        assert.strictEqual((yield* send("GET", "/messages?search=secret", { token: other.token })).status, 403)
      })
    )

    it.effect("is complete and in order by pages, each of which looks at so many messages and no more", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const person = yield* signUp(send)
        const oldest = yield* ask(person, "A needle in the hay")
        yield* copies(oldest, 1200, "case when n % 100 = 50 then 'Straw ' || n else 'Hay' end")
        const straws = Array.from({ length: 12 }, (_, index) => `Straw ${(12 - index) * 100 - 50}`)
        // Five in the first window, five in the second, two in the last.
        for (const limit of [1, 4, 5, 50])
          assert.deepStrictEqual(yield* found(person, "straw", limit), straws, `${limit}`)
        const pages = yield* pagesOf(person, "needle")
        assert.deepStrictEqual(
          pages.map(({ data }) => data.length),
          [0, 0, 1]
        )
        assert.deepStrictEqual(
          (yield* pagesOf(person, "straw")).map(({ data }) => data.length),
          [5, 5, 2]
        )
      })
    )

    it.effect("looks at so many bytes and no more, and at one message however long", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const person = yield* signUp(send)
        const oldest = yield* ask(person, "A needle in the hay")
        yield* copies(oldest, 9, "'Long ' || n", "repeat('hay and straw ', 50000)")
        yield* copies(oldest, 1, "'Longest'", "repeat('hay and straw ', 200000) || 'with a pin'", 10_000)
        const sizes = (search: string) =>
          Effect.map(pagesOf(person, search), (pages) => pages.map(({ data }) => data.length))
        // The longest by itself; of the others two go into two megabytes.
        assert.deepStrictEqual(yield* sizes("needle"), [0, 0, 0, 0, 0, 1])
        assert.deepStrictEqual(yield* sizes("with a pin"), [1, 0, 0, 0, 0, 0])
      })
    )
  }
)
