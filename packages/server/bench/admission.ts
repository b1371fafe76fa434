import { Pool } from "@llm-saas/database/connections/Pool"
import { type EndedAnswer, GenerationStore } from "@llm-saas/database/GenerationStore"
import { Tenancy } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import { KeyId } from "@llm-saas/domain/ApiKey"
import { attemptRow } from "@llm-saas/domain/Attempt"
import { GenerationId } from "@llm-saas/domain/Generation"
import { MessageId } from "@llm-saas/domain/Message"
import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import * as QuestionStore from "@llm-saas/engine/generations/QuestionStore"
import { Effect, Layer, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import pg from "pg"
import type { Prepared } from "./Prepare.ts"
import { percentile } from "./Load.ts"
import { cpuMicros } from "./Process.ts"
import { median, table } from "./Table.ts"

/** A tenant with one user, and limits or none. */
interface Subject {
  readonly tenant: string
  readonly user: string
  readonly key: string
}

const ROUNDS = 6
const QUESTIONS = 500
const TOGETHER = 10
const CLIENTS = 20
const SECONDS = 5

/**
 * What limits and budgets cost PostgreSQL: `app.ask` and `work.finish_many` of a tenant without any beside those of one with six limits and
 * two budgets, CPU of the backend in alternating rounds; then one key that 20 clients use as fast as they can; then the size of what stays.
 */
export const admission = async (database: Prepared): Promise<void> => {
  const admin = new pg.Client(database.adminUrl)
  await admin.connect()
  const free = await subject(admin, false)
  const limited = await subject(admin, true)
  await costs(database, { free, limited })
  for (const [name, one] of [
    ["no limit", free],
    ["six limits, two budgets", limited]
  ] as const)
    await hot(database, one, name)
  await sizes(admin)
  await admin.end()
}

const subject = async (admin: pg.Client, limited: boolean): Promise<Subject> => {
  const [tenant, user, key] = [randomUUID(), randomUUID(), randomUUID()]
  await admin.query("select auth.create_tenant($1, 'Bench', 'open', null)", [tenant])
  await admin.query("select auth.register($1, $2, $3, '$argon2id$bench', null)", [tenant, user, `${user}@example.com`])
  if (limited)
    await admin.query(
      `insert into app.limits (tenant_id, subject, requests_per_minute, tokens_per_minute, concurrent, budget, budget_period)
       values ($1, 'tenant', 1000000, 1000000000, null, 1000000, 'month'), ($1, 'user:' || $2, 1000000, null, null, null, null),
         ($1, 'key:' || $3, 1000000, 1000000000, null, 1000, 'day'), ($1, 'model:mock-1', 1000000, null, null, null, null)`,
      [tenant, user, key]
    )
  // As the first question of each subject does: after it, none needs to wait.
  if (limited)
    await admin.query(
      "insert into app.rates (tenant_id, subject) select l.tenant_id, l.subject from app.limits l where l.tenant_id = $1",
      [tenant]
    )
  return { tenant, user, key }
}

/** Connects as the server does. */
const connected = async (database: Prepared) => {
  const client = new pg.Client(database.apiUrl)
  await client.connect()
  return client
}

const PRICES = { input: { price_id: null, price: "0.000001" }, output: { price_id: null, price: "0.000002" } }

const questionOf = (key: string) => {
  const [id, lease] = [GenerationId.make(randomUUID()), randomUUID()]
  const question = {
    id,
    message_id: MessageId.make(randomUUID()),
    conversation_id: null,
    source: "messages",
    provider: "mock",
    model: "mock-1",
    lease_owner: lease,
    request_id: "r",
    trace_id: id.replaceAll("-", ""),
    parent_span_id: null,
    approx_tokens_in: 5,
    created_at: Date.now(),
    admitted_at: Date.now(),
    key_id: KeyId.make(key),
    idempotency_key: null,
    body_hash: null,
    history_characters: 0,
    estimate: 25,
    worst: "0.000045",
    prices: PRICES
  } as const
  return { question, lease }
}

const ask = async (client: pg.Client, { key, tenant, user }: Subject): Promise<{ id: string; lease: string }> => {
  const { lease, question } = questionOf(key)
  const { rows } = await client.query({
    name: "ask",
    text: "select * from app.ask($1::uuid, $2::uuid, $3::integer, $4::text, $5::text::jsonb, $6::text, $7::text)",
    values: [tenant, user, 0, "own", JSON.stringify({ ...question, may_wait: false }), "Why is the sky blue?", null]
  })
  if (rows[0]?.outcome !== "asked") throw new Error(`not asked: ${JSON.stringify(rows[0])}`)
  return { id: question.id, lease }
}

const endedAnswer = (tenant: string, id: string, lease: string): EndedAnswer => ({
  response: "An answer.",
  tokenLengths: [10],
  log: null,
  ending: {
    tenant_id: TenantId.make(tenant),
    id: GenerationId.make(id),
    lease_owner: lease,
    status: "completed",
    finish_reason: "stop",
    failure: null,
    response_model: null,
    tokens_in: 5,
    tokens_out: 20,
    usage: null,
    approx_tokens_out: 20,
    cost_usd: 0.000045,
    started_at: Date.now(),
    first_token_at: Date.now(),
    model_ended_at: Date.now()
  },
  account: {
    items: [
      { attempt: 1, unit: "input", quantity: 5, price_id: null, price: "0.000001" },
      { attempt: 1, unit: "output", quantity: 20, price_id: null, price: "0.000002" }
    ],
    priced: true,
    tokens_used: 25
  },
  attempts: [
    attemptRow({ provider: "mock", model: "mock-1", keySource: "installation", startedAt: Date.now() }, 0, Date.now())
  ]
})

/** The same, so many in one statement. */
const askTogether = async (client: pg.Client, { key, tenant, user }: Subject): Promise<void> => {
  const questions = Array.from({ length: TOGETHER }, () => questionOf(key).question)
  const { rows } = await client.query({
    name: "ask_many",
    text: `select * from app.ask_many($1::uuid, $2::uuid, $3::integer, $4::text, $5::uuid, $6::text, $7::boolean, $8::text::jsonb, $9::text[],
      $10::text[])`,
    values: [
      tenant,
      user,
      0,
      "own",
      key,
      "mock-1",
      false,
      JSON.stringify(questions),
      questions.map(() => "Why is the sky blue?"),
      questions.map(() => "")
    ]
  })
  if (rows.length !== TOGETHER || rows.some(({ outcome }) => outcome !== "asked"))
    throw new Error(`not asked: ${JSON.stringify(rows)}`)
}

const finish = (client: pg.Client, { tenant }: Subject, { id, lease }: { id: string; lease: string }) => {
  const { account, attempts, ending } = endedAnswer(tenant, id, lease)
  return client.query({
    name: "finish",
    text: "select * from work.finish_many($1::text::jsonb, $2::text[], $3::text[], $4::text[])",
    values: [JSON.stringify([{ ...ending, ...account, attempts }]), ["An answer."], ["{10}"], [""]]
  })
}

const pidOf = async (client: pg.Client): Promise<number> =>
  (await client.query<{ readonly pid: number }>("select pg_backend_pid() as pid")).rows[0]?.pid ?? 0

const costs = async (database: Prepared, of: { readonly free: Subject; readonly limited: Subject }) => {
  const client = await connected(database)
  const pid = await pidOf(client)
  const spent = {
    free: { ask: [] as Array<number>, together: [] as Array<number>, finish: [] as Array<number> },
    limited: { ask: [] as Array<number>, together: [] as Array<number>, finish: [] as Array<number> }
  }
  for (let round = 0; round <= ROUNDS; round++)
    for (const which of ["free", "limited"] as const) {
      const answers: Array<{ id: string; lease: string }> = []
      const before = cpuMicros(pid)
      for (let n = 0; n < QUESTIONS; n++) answers.push(await ask(client, of[which]))
      const between = cpuMicros(pid)
      for (const answer of answers) await finish(client, of[which], answer)
      const after = cpuMicros(pid)
      for (let n = 0; n < QUESTIONS / TOGETHER; n++) await askTogether(client, of[which])
      const end = cpuMicros(pid)
      if (round === 0) continue
      spent[which].together.push((end - after) / QUESTIONS)
      spent[which].ask.push((between - before) / QUESTIONS)
      spent[which].finish.push((after - between) / QUESTIONS)
    }
  await client.end()
  const row = (name: "ask" | "together" | "finish", title: string) => {
    const [free, limited] = [median(spent.free[name]), median(spent.limited[name])]
    return [title, free.toFixed(0), limited.toFixed(0), (limited / free).toFixed(2)]
  }
  table(
    "CPU of PostgreSQL, µs each",
    ["", "no limit", "6 limits, 2 budgets", "ratio"],
    [row("ask", "app.ask"), row("together", `app.ask_many, of ${TOGETHER}`), row("finish", "work.finish_many, one")]
  )
}

/** All clients use one key at once, by this program's own pool in one process; every answer ends at once. */
const hot = async (database: Prepared, { key, tenant, user }: Subject, name: string) => {
  const waits: Array<number> = []
  const actor = Actor.of({
    tenantId: TenantId.make(tenant),
    userId: UserId.make(user),
    tokenEpoch: 0,
    needs: "own"
  })
  const client = Effect.gen(function* () {
    const tenancy = yield* Tenancy
    const store = yield* GenerationStore
    const take = QuestionStore.make(tenancy)
    const until = performance.now() + SECONDS * 1000
    const one = Effect.gen(function* () {
      const { question, lease } = questionOf(key)
      const from = performance.now()
      const row = yield* take({ ...question, content: "Why is the sky blue?" })
      waits.push(performance.now() - from)
      if (row.outcome !== "asked") return yield* Effect.die(row)
      yield* store.finish(endedAnswer(tenant, question.id, lease))
    })
    yield* Effect.forEach(
      Array.from({ length: CLIENTS }),
      () => Effect.repeat(one, { while: () => performance.now() < until }),
      { concurrency: "unbounded", discard: true }
    )
  })
  const pool = Pool.layer({
    url: Redacted.make(database.apiUrl),
    size: 10,
    acquireTimeout: "20 seconds",
    waiting: 1000
  })
  const layers = Layer.mergeAll(Tenancy.layer, GenerationStore.layer).pipe(Layer.provide(pool))
  await Effect.runPromise(client.pipe(Effect.provideService(Actor, actor), Effect.provide(layers), Effect.scoped))
  const sorted = Float64Array.from(waits).sort()
  console.log(
    `One key, ${CLIENTS} clients, ${name}: ${(waits.length / SECONDS).toFixed(0)} answers/s, admission p50 ${percentile(sorted, 0.5).toFixed(1)} ms, p99 ${percentile(sorted, 0.99).toFixed(1)} ms`
  )
}

const sizes = async (admin: pg.Client) => {
  const { rows } = await admin.query<{ readonly name: string; readonly bytes: string; readonly answers: string }>(
    `select c.relname as name, pg_total_relation_size(c.oid) as bytes, (select count(*) from app.ledger) as answers from pg_class c
     where c.relnamespace = 'app'::regnamespace and c.relkind = 'r' and pg_total_relation_size(c.oid) > 100000 order by 2 desc`
  )
  table(
    "Size of a million answers, MB",
    ["table", "MB"],
    rows.map(({ answers, bytes, name }) => [name, (((Number(bytes) / Number(answers)) * 1e6) / 1e6).toFixed(0)])
  )
}
