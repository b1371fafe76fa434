import { GenerationId } from "@llm-saas/domain/Generation"
import { MessageId } from "@llm-saas/domain/Message"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import type { AskedQuestion } from "../src/AskedQuestion.ts"
import { open, type Refused, type Session } from "./Session.ts"

/** A user who asks. */
export interface Person {
  readonly tenant: string
  readonly user: string
}

/** A tenant with an admin, a user and one more, on connections of their own: the API's, and the administrator's who sees every row. */
export const office = Effect.gen(function* () {
  const { adminUrl, apiUrl } = yield* TestDatabase
  const superuser = yield* open(adminUrl)
  const api = yield* open(apiUrl)
  const tenant = randomUUID()
  yield* api.rows("select * from auth.create_tenant($1, 'Acme', 'open', 'request')", [tenant])
  const person = Effect.fnUntraced(function* () {
    const user = randomUUID()
    yield* api.rows("select * from auth.register($1, $2, $3, '$argon2id$first', 'request')", [
      tenant,
      user,
      `${user}@example.com`
    ])
    const person: Person = { tenant, user }
    return person
  })
  return { superuser, api, another: open(apiUrl), admin: yield* person(), alice: yield* person(), bob: yield* person() }
})

/** Runs `work` in the room of `who`, committed. */
export const room = <A>(session: Session, who: Person, work: Effect.Effect<A, Refused>) =>
  session.rows("begin").pipe(
    Effect.andThen(session.rows("select role from app.enter($1, $2, 0, 'user')", [who.tenant, who.user])),
    Effect.andThen(work),
    Effect.tap(() => session.rows("commit")),
    Effect.onError(() => Effect.ignore(session.rows("rollback")))
  )

/** One statement in the room of `who`. */
export const inRoom = (session: Session, who: Person, sql: string, values: ReadonlyArray<unknown> = []) =>
  room(session, who, session.rows(sql, values))

/** A UUIDv7 later than every one before it: what the engine gives, and lists are ordered by. */
const next = (() => {
  let count = 0
  return () => `01900000-0000-7000-8000-${(++count).toString(16).padStart(4, "0")}${randomUUID().slice(-8)}`
})()

export interface Question {
  readonly content?: string
  readonly conversation?: string
  readonly lease?: string
  readonly key?: string
  readonly bodyHash?: string
  readonly historyCharacters?: number
}

/** The argument of `app.ask` for a question without a conversation or a key. */
export const askedQuestion = (message: string): AskedQuestion => ({
  id: GenerationId.make(randomUUID()),
  message_id: MessageId.make(message),
  conversation_id: null,
  source: "messages",
  provider: "provider",
  model: "model",
  lease_owner: randomUUID(),
  request_id: "request",
  trace_id: randomUUID().replaceAll("-", ""),
  parent_span_id: null,
  approx_tokens_in: 1,
  estimate: 1,
  created_at: 0,
  admitted_at: 0,
  content: "Why?",
  idempotency_key: null,
  body_hash: null,
  history_characters: 0
})

/** Calls `app.ask` for `who`. */
export const ask = Effect.fnUntraced(function* (session: Session, who: Person, question: Question = {}) {
  const { content, ...asked } = {
    ...askedQuestion(next()),
    id: next(),
    conversation_id: question.conversation ?? null,
    lease_owner: question.lease ?? randomUUID(),
    created_at: Date.now(),
    admitted_at: Date.now(),
    idempotency_key: question.key ?? null,
    body_hash: question.bodyHash ?? "hash",
    history_characters: question.historyCharacters ?? 1000
  }
  const [row] = yield* session.rows("select * from app.ask($1, $2, 0, 'user', $3, $4)", [
    who.tenant,
    who.user,
    JSON.stringify(asked),
    question.content ?? content
  ])
  return {
    outcome: String(row?.["outcome"]),
    message: String(row?.["message_id"]),
    generation: String(row?.["generation_id"]),
    status: row?.["status"],
    history: row?.["history"]
  }
})

/** An accepted question, and the lease its answer is written under. */
export const asked = Effect.fnUntraced(function* (session: Session, who: Person, question: Question = {}) {
  const lease = question.lease ?? randomUUID()
  const taken = yield* ask(session, who, { ...question, lease })
  return { ...taken, tenant: who.tenant, lease }
})
export type Asked = Effect.Success<ReturnType<typeof asked>>

export interface Ending {
  readonly status?: string
  readonly response?: string
  readonly lease?: string
}

/** Calls `work.finish`: whether this call ended it. */
export const finish = (session: Session, { generation, lease, tenant }: Asked, ending: Ending = {}) => {
  const { response = "Because.", status = "completed" } = ending
  const ended = {
    tenant_id: tenant,
    id: generation,
    lease_owner: ending.lease ?? lease,
    status,
    finish_reason: status === "completed" ? "stop" : null,
    failure: status === "failed" ? "overloaded" : null,
    response_model: "model-1",
    tokens_in: 3,
    tokens_out: 4,
    approx_tokens_out: 5,
    cost_usd: 0.01,
    started_at: Date.now(),
    first_token_at: Date.now(),
    model_ended_at: Date.now()
  }
  return Effect.map(
    session.rows("select work.finish($1, $2, $3) as it", [
      JSON.stringify(ended),
      response,
      response === "" ? [] : [[...response].length]
    ]),
    ([row]) => row?.["it"] === true
  )
}

/** Calls `work.append` for one generation: the reasons to stop. */
export const append = (session: Session, { generation, lease, tenant }: Asked, seq: number, tokens: Array<string>) =>
  Effect.map(
    session.rows("select reason from work.append($1, array[$2::uuid], array[$3::uuid], array[$4::int4], array[$5])", [
      lease,
      tenant,
      generation,
      seq,
      JSON.stringify(tokens)
    ]),
    (rows) => rows.map((row) => row["reason"])
  )

/** Calls `work.renew` for one generation: its notices. */
export const renew = (session: Session, { generation, lease, tenant }: Asked) =>
  Effect.map(
    session.rows("select reason from work.renew($1, array[$2::uuid], array[$3::uuid])", [lease, tenant, generation]),
    (rows) => rows.map((row) => row["reason"])
  )

/** Marks one as deleted, in the room of `who`: whether this call did it. */
export const remove = (session: Session, who: Person, kind: "user" | "conversation" | "message", id: string) =>
  Effect.map(
    inRoom(
      session,
      who,
      `insert into app.deletions (tenant_id, id, kind, user_id)
       select tenant_id, id, $1, ${kind === "user" ? "id" : "user_id"} from app.${kind}s where id = $2 on conflict do nothing returning id`,
      [kind, id]
    ),
    (rows) => rows.length === 1
  )

/** Calls `work.purge` until it removes nothing more: how many rows it removed. */
export const purge = Effect.fnUntraced(function* (session: Session, limit = 100) {
  let removed = 0
  while (true) {
    const [row] = yield* session.rows("select work.purge($1) as count", [limit])
    const count = Number(row?.["count"])
    removed += count
    if (count === 0) return removed
  }
})

export const sweep = (session: Session, limit = 100) =>
  Effect.map(session.rows("select work.sweep($1) as count", [limit]), ([row]) => Number(row?.["count"]))

/** Makes the generation look like one of a lost process. */
export const abandon = (superuser: Session, { generation }: Asked) =>
  superuser.rows("update app.generations set lease_until = now() - interval '1 second' where id = $1", [generation])

/** Waits until another session waits for a lock that `holder` has. */
export const untilBlocked = (superuser: Session, count = 1): Effect.Effect<void, Refused> =>
  Effect.repeat(
    Effect.map(
      superuser.rows(
        "select count(*)::int as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
      ),
      ([row]) => Number(row?.["waiting"])
    ),
    { until: (waiting) => waiting >= count }
  ).pipe(Effect.asVoid)
