import { randomUUID } from "node:crypto"
import pg from "pg"
import { prepare } from "./Prepare.ts"
import { cpuMicros } from "./Process.ts"
const database = await prepare()
const admin = new pg.Client(database.adminUrl)
await admin.connect()
const api = new pg.Client(database.apiUrl)
await api.connect()
const pid = (await api.query("select pg_backend_pid() as pid")).rows[0].pid as number
const tenant = randomUUID(),
  user = randomUUID(),
  lease = randomUUID()
console.log(
  (
    await admin.query(
      "select pg_get_function_arguments(oid), proname from pg_proc where proname in ('create_tenant','register')"
    )
  ).rows
)
await api.query("select auth.create_tenant($1::uuid, 'T', 'open', '-')", [tenant])
await api
  .query("select auth.register($1::uuid, $2::uuid, 'a@example.com', $3::text, '-', '-', '-')", [
    tenant,
    user,
    "$argon2id$v=19$m=19456,t=2,p=1$x$y"
  ])
  .catch((e) => console.log(String(e)))
const time = async (name: string, n: number, f: (i: number) => Promise<unknown>) => {
  for (let i = 0; i < 200; i++) await f(i)
  const res: number[] = []
  for (let r = 0; r < 5; r++) {
    const c = cpuMicros(pid)
    const t = performance.now()
    for (let i = 0; i < n; i++) await f(i)
    res.push((cpuMicros(pid) - c) / n)
    void t
  }
  console.log(
    name.padEnd(40),
    res
      .sort((a, b) => a - b)
      .map((x) => x.toFixed(0))
      .join(" ")
  )
}
await time("select 1", 400, () => api.query({ name: "one", text: "select 1" }))
await time("own_profile", 400, () =>
  api.query({ name: "p", text: "select app.own_profile($1::uuid, $2::uuid, 0, 'user')", values: [tenant, user] })
)
const ids: string[] = []
const q = (id: string, m: string) =>
  JSON.stringify({
    id,
    message_id: m,
    conversation_id: null,
    source: "messages",
    provider: "mock",
    model: "mock",
    lease_owner: lease,
    approx_tokens_in: 4,
    request_id: "r",
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    parent_span_id: null,
    created_at: Date.now(),
    admitted_at: Date.now(),
    idempotency_key: null,
    body_hash: null,
    history_characters: 1000
  })
let v7 = 0
const uuid7 = () => {
  const t = Date.now().toString(16).padStart(12, "0")
  const r = randomUUID()
  return `${t.slice(0, 8)}-${t.slice(8)}-7${(v7++ % 4096).toString(16).padStart(3, "0")}-${r.slice(19)}`
}
await time("ask", 300, () => {
  const id = uuid7()
  ids.push(id)
  return api.query({
    name: "a",
    text: "select * from app.ask($1::uuid, $2::uuid, $3::integer, $4::text, $5::text::jsonb, $6::text)",
    values: [tenant, user, 0, "user", q(id, uuid7()), "What is a room?"]
  })
})
const lengths = Array.from({ length: 20 }, () => 5)
let k = 0
const finishing = (id: string) =>
  JSON.stringify({
    tenant_id: tenant,
    id,
    lease_owner: lease,
    status: "completed",
    finish_reason: "stop",
    failure: null,
    response_model: "mock",
    tokens_in: 4,
    tokens_out: 20,
    approx_tokens_out: 25,
    cost_usd: 0,
    started_at: Date.now(),
    first_token_at: Date.now(),
    model_ended_at: Date.now()
  })
await time("finish", 150, () =>
  api.query({
    name: "f",
    text: "select work.finish($1::text::jsonb, $2::text, $3::int4[])",
    values: [finishing(ids[k++]!), "word1 ".repeat(20), lengths]
  })
)
const extra: Record<string, string> = { "begin/commit": "" }
void extra
await time("insert one message only (as admin path n/a) enter", 300, () =>
  api.query({ name: "e", text: "select app.enter($1::uuid,$2::uuid,0,'user')", values: [tenant, user] })
)
if (process.argv[2]) {
  const r = await admin.query(process.argv[2])
  console.log(r.rows)
}
await api.end()
await admin.end()
await database.stop()
