import { migrate } from "@llm-saas/database/migrations/Migrations"
import { Effect, Redacted } from "effect"
import { SignJWT } from "jose"
import { randomUUID } from "node:crypto"
import pg from "pg"
import type { Prepared } from "./Prepare.ts"

/** How much is in a database. */
export interface Amount {
  readonly tenants: number
  /** Users beside the big one, spread evenly over the tenants. */
  readonly users: number
  /** Messages, each with its generation. A tenth of them are the big user's. */
  readonly rows: number
}

/** A user in whose name is asked. */
export interface Caller {
  readonly token: string
  readonly conversation: string
  /** Some of the user's messages. */
  readonly messages: ReadonlyArray<string>
}

/** A database with rows of the past 90 days. */
export interface Filled {
  readonly amount: Amount
  readonly apiUrl: string
  readonly adminUrl: string
  /** An admin of the first tenant, with a tenth of all messages, half of them in one conversation. */
  readonly big: Caller
  readonly callers: ReadonlyArray<Caller>
  /** Answers that are still running. */
  readonly running: Running
  readonly drop: () => Promise<void>
}

export interface Running {
  readonly lease: string
  readonly tenants: ReadonlyArray<string>
  readonly generations: ReadonlyArray<string>
}

const CALLERS = 300
const RUNNING = 100

/**
 * Creates a database of the same server and fills it. In the order of time, neighbours in the table are of different users and tenants, as
 * they come to be in use.
 */
export const fill = async (database: Prepared, name: string, amount: Amount, secret: string): Promise<Filled> => {
  const on = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href
  const drop = () => run(database.adminUrl, (sql) => sql.query(`drop database if exists ${name} with (force)`))
  await drop()
  await run(database.adminUrl, (sql) => sql.query(`create database ${name}`))
  await Effect.runPromise(migrate(Redacted.make(on(database.adminUrl))))
  const lease = randomUUID()
  const found = await run(on(database.adminUrl), async (sql) => {
    await sql.query(PREPARATION)
    // Indexes that are no constraint's are built at the end, which is twice as fast.
    const { rows: indexes } = await sql.query<{ readonly name: string; readonly definition: string }>(
      `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition from pg_index i
       where i.indrelid in ('app.messages'::regclass, 'app.generations'::regclass)
         and not exists (select from pg_constraint c where c.conindid = i.indexrelid)`
    )
    for (const { name } of indexes) await sql.query(`drop index ${name}`)
    for (const statement of statements(amount, lease)) await sql.query(statement)
    for (const { definition } of indexes) await sql.query(definition)
    await sql.query("reset session_replication_role")
    await sql.query("vacuum (analyze)")
    await sql.query("checkpoint")
    const people = await sql.query<Person>(
      `select p.*, array(
         select m.id from app.messages m where m.tenant_id = p.tenant_id and m.user_id = p.user_id and m.response is not null
         order by m.id desc limit 4
       ) as messages
       from people p where p.n % greatest(${amount.users} / ${CALLERS}, 1) = 0 order by p.n limit ${CALLERS} + 1`
    )
    const running = await sql.query<{ readonly tenant_id: string; readonly id: string }>(
      "select tenant_id, id from app.generations where lease_owner = $1",
      [lease]
    )
    return { people: people.rows, running: running.rows }
  })
  const [big, ...callers] = await Promise.all(found.people.map((person) => callerOf(person, secret)))
  if (big === undefined) throw new Error("nobody there")
  return {
    amount,
    apiUrl: on(database.apiUrl),
    adminUrl: on(database.adminUrl),
    big,
    callers,
    running: {
      lease,
      tenants: found.running.map(({ tenant_id }) => tenant_id),
      generations: found.running.map(({ id }) => id)
    },
    drop: () => drop().then(() => {})
  }
}

export const connected = async (url: string): Promise<pg.Client> => {
  const client = new pg.Client(url)
  await client.connect()
  return client
}

/** On a connection of its own. */
const run = async <A>(url: string, work: (client: pg.Client) => Promise<A>): Promise<A> => {
  const client = await connected(url)
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

interface Person {
  readonly tenant_id: string
  readonly user_id: string
  readonly role: string
  readonly conversation_id: string
  readonly messages: ReadonlyArray<string>
}

const callerOf = async ({ conversation_id, messages, role, tenant_id, user_id }: Person, secret: string) => ({
  conversation: conversation_id,
  messages,
  token: await new SignJWT({ user_id, tenant_id, role, epoch: 0 })
    .setProtectedHeader({ alg: "HS256", typ: "at+jwt" })
    .setSubject(user_id)
    .setIssuer("llm-saas")
    .setAudience("llm-saas-api")
    .setIssuedAt()
    .setExpirationTime("30m")
    .setJti(randomUUID())
    .sign(new TextEncoder().encode(secret))
})

// As superuser: row-level security does not hold, and the triggers of foreign keys are off.
const PREPARATION = `
  set session_replication_role = replica;
  set work_mem = '256MB';
  set maintenance_work_mem = '512MB';
  create function pg_temp.uuid7(milliseconds bigint, salt text) returns uuid immutable language sql
    return (lpad(to_hex(milliseconds), 12, '0') || '7' || substr(md5(salt), 1, 3) || '8' || substr(md5(salt), 4, 15))::uuid;`

const now = Date.now()
const begin = now - 90 * 86_400_000

const statements = ({ rows, tenants, users }: Amount, lease: string): ReadonlyArray<string> => [
  `create temp table people as
     select n, 1 + greatest(n - 1, 0) % ${tenants} as tenant, null::uuid as tenant_id, pg_temp.uuid7(${begin} - ${users} + n, 'user' || n) as user_id,
       pg_temp.uuid7(${begin} - ${users} + n, 'conversation' || n) as conversation_id, case n when 0 then 'admin' else 'user' end as role
     from generate_series(0, ${users}) n`,
  `create temp table companies as
     select n, pg_temp.uuid7(${begin} - 2 * ${users + tenants} + n, 'tenant' || n) as id from generate_series(1, ${tenants}) n`,
  "update people p set tenant_id = c.id from companies c where c.n = p.tenant",
  "create index on people (n)",
  "analyze people",
  "insert into app.tenants (id, name, bootstrapped_at) select id, 'Company ' || n, now() from companies order by n",
  `insert into app.users (tenant_id, id, email, role)
     select tenant_id, user_id, 'person-' || n || '@example.com', role from people order by n`,
  `insert into app.credentials (tenant_id, user_id, password_hash)
     select tenant_id, user_id, '$argon2id$v=19$m=19456,t=2,p=1$' || md5(n::text) from people order by n`,
  `insert into app.conversations (tenant_id, id, user_id, title)
     select tenant_id, conversation_id, user_id, 'What person ' || n || ' asked' from people order by n`,
  // The answer of 60 tokens of six characters.
  `insert into app.messages (tenant_id, id, user_id, conversation_id, content, response, token_lengths, account, created_at)
     select p.tenant_id, pg_temp.uuid7(w.at, 'message' || i), p.user_id,
       case when case p.n when 0 then i % 20 = 0 else (i - i / 10) / ${users} % 6 <> 0 end then p.conversation_id end,
       'Question ' || i || ': ' || repeat('what is it about? ', 4), repeat(substr(md5(i::text), 1, 30), 12), array_fill(6, array[60]),
       concat('"generation_id":"', pg_temp.uuid7(w.at, 'generation' || i), '","model":"mock-1","status":"completed","finish_reason":"stop","failure":null',
         ',"tokens_in":20,"tokens_out":60,"approx_tokens_in":20,"approx_tokens_out":60,"latency_ms":1400,"ttft_ms":200,"created_at":"',
         app.contract_time(to_timestamp(w.at / 1000.0)), '"'),
       to_timestamp(w.at / 1000.0)
     ${placed(rows, users)}`,
  `insert into app.generations (
       tenant_id, id, message_id, user_id, conversation_id, source, provider, model, response_model, status, finish_reason, lease_owner, lease_until,
       tokens_in, tokens_out, approx_tokens_in, approx_tokens_out, cost_usd, prompt_length, response_length, request_id, trace_id,
       created_at, admitted_at, started_at, first_token_at, model_ended_at, ended_at
     )
     select p.tenant_id, pg_temp.uuid7(w.at, 'generation' || i), pg_temp.uuid7(w.at, 'message' || i), p.user_id,
       case when case p.n when 0 then i % 20 = 0 else (i - i / 10) / ${users} % 6 <> 0 end then p.conversation_id end,
       'messages', 'mock', 'mock-1', 'mock-1', 'completed', 'stop', md5('process' || i / 10000)::uuid, to_timestamp(w.at / 1000.0 + 30),
       20, 60, 20, 60, 0.0012, 82, 360, md5('request' || i), md5('trace' || i),
       to_timestamp(w.at / 1000.0), to_timestamp(w.at / 1000.0), to_timestamp(w.at / 1000.0), to_timestamp(w.at / 1000.0 + 0.2),
       to_timestamp(w.at / 1000.0 + 1.4), to_timestamp(w.at / 1000.0 + 1.41)
     ${placed(rows, users)}`,
  `insert into app.messages (tenant_id, id, user_id, content)
     select p.tenant_id, pg_temp.uuid7(${now}, 'running' || n), p.user_id, 'What is going on?'
     from people p where n between 1 and ${RUNNING}`,
  `insert into app.generations (
       tenant_id, id, message_id, user_id, source, provider, model, lease_owner, lease_until, approx_tokens_in, prompt_length, trace_id,
       created_at, admitted_at
     )
     select p.tenant_id, pg_temp.uuid7(${now}, 'run' || n), m.id, p.user_id, 'messages.stream', 'mock', 'mock-1', '${lease}',
       now() + interval '1 day', 5, 17, md5('run' || n), now(), now()
     from people p join app.messages m on m.tenant_id = p.tenant_id and m.user_id = p.user_id and m.response is null
     where n between 1 and ${RUNNING}`
]

/** Of each message: its number, when it was asked, and by which person. */
const placed = (rows: number, users: number) => `
  from (select i, (${begin} + i * ${(now - begin) / rows}::float8)::bigint as at, case when i % 10 = 0 then 0 else 1 + (i - i / 10) % ${users} end as n
    from generate_series(1, ${rows}) i) w
  join people p on p.n = w.n`
