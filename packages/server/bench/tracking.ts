import { execute } from "@llm-saas/database/backup/Databases"
import { find, MlflowServer } from "@llm-saas/testing/MlflowServer"
import { Effect, Exit, Layer, Redacted, Scope } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { load, post } from "./Load.ts"
import type { Prepared } from "./Prepare.ts"
import { cpuMicros, serve, type Served } from "./Process.ts"
import type { SignUp } from "./streaming.ts"
import { median, table } from "./Table.ts"
import { fileURLToPath } from "node:url"

const script = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** A model that takes no time: what is left is ours. */
const QUICK = {
  MOCK_TOKENS: "60",
  MOCK_TTFT_MS: "0",
  MOCK_DELAY_MS: "0",
  GENERATIONS_PER_USER: "100000",
  GENERATIONS_PER_TENANT: "100000",
  GENERATIONS_AT_ONCE: "100000"
}

const sql = (database: Prepared, text: string) =>
  Effect.runPromise(execute(Redacted.make(database.adminUrl), text)).then(({ rows }): ReadonlyArray<unknown> => rows)

const pending = async (database: Prepared) =>
  Number(Object(await sql(database, "select count(*)::int4 as n from app.tracking_outbox").then(([row]) => row))["n"])

/** The processes of the benchmark's PostgreSQL. */
const postgresOf = async (database: Prepared): Promise<ReadonlyArray<number>> => {
  const [row] = await sql(database, "show data_directory")
  const [postmaster] = readFileSync(join(String(Object(row)["data_directory"]), "postmaster.pid"), "utf8").split("\n")
  const parentOf = (pid: string) => {
    try {
      return /\) \S (\d+) /u.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1]
    } catch {
      return undefined
    }
  }
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/u.test(pid) && parentOf(pid) === postmaster)
    .map(Number)
}

const usedBy = (pids: ReadonlyArray<number>) =>
  pids.reduce((sum, pid) => {
    try {
      return sum + cpuMicros(pid)
    } catch {
      return sum
    }
  }, 0)

/**
 * What recording costs an inference of a model that takes no time: with the record in its last transaction and without, and with a
 * tracker that is away, so that records wait. Then what sending one costs, and whether the sender keeps up with what MLflow takes.
 */
export const tracking = async (
  database: Prepared,
  environment: Record<string, string>,
  signUp: SignUp,
  rounds: number,
  seconds: number
) => {
  const jobs = { ...environment, ...QUICK, DATABASE_JOBS_URL: database.jobsUrl }
  // A process each: what was asked of one before is no head start for it.
  const [without, ours] = await Promise.all(
    [1, 2].map(() => serve("llm-saas", script("../src/main.ts"), { ...environment, ...QUICK }))
  )
  if (without === undefined || ours === undefined) return
  const waiting = await serve("llm-saas", script("../src/main.ts"), {
    ...jobs,
    MLFLOW_TRACKING_URI: "http://127.0.0.1:9"
  })
  try {
    await recording(database, [without, ours, waiting], signUp, rounds, seconds)
  } finally {
    await Promise.all([without.stop(), ours.stop(), waiting.stop()])
  }
  await sending(database, jobs, signUp)
  await keepingUp(database, jobs, signUp)
}

const asking = (token: string) =>
  post("/messages", JSON.stringify({ content: "What is a room?" }), "application/json", {
    authorization: `Bearer ${token}`
  })

/** The database's function that ends an answer, with the record for the tracker or without it. */
const withRecord = async (database: Prepared, on: boolean) => {
  const [row] = await sql(
    database,
    "select pg_get_functiondef(oid) as text from pg_proc where proname = 'finish' and pronamespace = 'work'::regnamespace"
  )
  const text = String(Object(row)["text"])
  const insert = "insert into app.tracking_outbox (tenant_id, generation_id) values (p_tenant, p_generation);"
  await sql(database, on ? text.replace("/* no record */", insert) : text.replace(insert, "/* no record */"))
}

async function recording(
  database: Prepared,
  [without, ours, waiting]: readonly [Served, Served, Served],
  signUp: SignUp,
  rounds: number,
  seconds: number
) {
  const { token } = await signUp(ours.port)
  const cases = [
    { name: "no record at all", server: without, record: false },
    { name: "a record, sent by another process", server: ours, record: true },
    { name: "a record, MLflow is away", server: waiting, record: true }
  ]
  const samples = cases.map(() => ({
    server: [] as Array<number>,
    all: [] as Array<number>,
    rate: [] as Array<number>
  }))
  for (let round = 0; round <= rounds; round++) {
    // Each is first as often as last.
    for (let turn = 0; turn < cases.length; turn++) {
      const index = (turn + round) % cases.length
      const { record, server } = cases[index] ?? { record: true, server: ours }
      await withRecord(database, record)
      const postgres = await postgresOf(database)
      const [before, beforeAll] = [cpuMicros(server.pid), usedBy(postgres)]
      const result = await load({ port: server.port, request: asking(token), connections: 16, seconds, status: 201 })
      const cpu = (cpuMicros(server.pid) - before) / result.requests
      if (round === 0) continue
      samples[index]?.server.push(cpu)
      samples[index]?.all.push(cpu + (usedBy(postgres) - beforeAll) / result.requests)
      samples[index]?.rate.push(result.requests / result.seconds)
    }
  }
  const base = samples[0]
  const ratio = (values: ReadonlyArray<number>, of: ReadonlyArray<number>) =>
    median(values.map((value, round) => value / (of[round] ?? Number.NaN))).toFixed(3)
  table(
    "An inference of a model that takes no time (POST /messages, 60 tokens)",
    ["", "server, CPU µs", "÷ without", "server and PostgreSQL, CPU µs", "÷ without", "inferences/s"],
    cases.map(({ name }, index) => {
      const sample = samples[index]
      if (sample === undefined || base === undefined) return []
      return [
        name,
        median(sample.server).toFixed(0),
        ratio(sample.server, base.server),
        median(sample.all).toFixed(0),
        ratio(sample.all, base.all),
        median(sample.rate).toFixed(0)
      ]
    })
  )
  await sql(database, "truncate app.tracking_outbox")
}

/** Puts `count` ended answers into the outbox, by asking. */
const plant = async (port: number, token: string, count: number) => {
  for (let planted = 0; planted < count;) {
    const some = await Promise.all(
      Array.from({ length: Math.min(50, count - planted) }, () =>
        fetch(`http://127.0.0.1:${port}/messages`, {
          method: "POST",
          headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
          body: JSON.stringify({ content: "What is a room?" })
        }).then((response) => response.text())
      )
    )
    planted += some.length
  }
}

const drained = async (database: Prepared, until = 0) => {
  while ((await pending(database)) > until) await new Promise((resolve) => setTimeout(resolve, 300))
}

/** What it costs to send a record, against an MLflow that answers at once. */
async function sending(database: Prepared, environment: Record<string, string>, signUp: SignUp) {
  const COUNT = 2000
  const planter = await serve("llm-saas", script("../src/main.ts"), {
    ...environment,
    DATABASE_JOBS_URL: ""
  })
  await plant(planter.port, (await signUp(planter.port)).token, COUNT)
  await planter.stop()
  const swift = await serve("an MLflow that answers at once", script("swiftMlflow.ts"), {})
  const sender = await serve("llm-saas", script("../src/main.ts"), {
    ...environment,
    MLFLOW_TRACKING_URI: `http://127.0.0.1:${swift.port}`
  })
  await drained(database, COUNT * 0.75)
  const [left, cpu, started] = [await pending(database), cpuMicros(sender.pid), performance.now()]
  await drained(database)
  const [used, took] = [cpuMicros(sender.pid) - cpu, performance.now() - started]
  await Promise.all([sender.stop(), swift.stop()])
  table(
    "Sending a record (four calls), MLflow answering at once",
    ["records", "CPU µs each", "records/s"],
    [[String(left), (used / left).toFixed(0), ((left / took) * 1000).toFixed(0)]]
  )
}

/** How many records a second a real MLflow takes: from a loop that does nothing but send, and from us. */
async function keepingUp(database: Prepared, environment: Record<string, string>, signUp: SignUp) {
  const found = await Effect.runPromise(find)
  if ("missing" in found) return console.log(`\nNo real MLflow to keep up with: ${found.missing}`)
  const scope = await Effect.runPromise(Scope.make())
  const context = await Effect.runPromise(Layer.buildWithScope(MlflowServer.layer(found.python), scope))
  const { url } = await Effect.runPromise(Effect.provideContext(MlflowServer.use(Effect.succeed), context))
  try {
    const COUNT = 300
    await accepts(url, 20)
    const rate = await accepts(url, COUNT)
    const planter = await serve("llm-saas", script("../src/main.ts"), { ...environment, DATABASE_JOBS_URL: "" })
    await plant(planter.port, (await signUp(planter.port)).token, COUNT)
    await planter.stop()
    const sender = await serve("llm-saas", script("../src/main.ts"), { ...environment, MLFLOW_TRACKING_URI: url })
    await drained(database, COUNT - 20)
    const [left, started] = [await pending(database), performance.now()]
    await drained(database)
    const own = (left / (performance.now() - started)) * 1000
    await sender.stop()
    table(
      "Records a second that a real MLflow takes (SQLite, one worker), four at once",
      ["from a loop that only sends", "from us", "ratio"],
      [[rate.toFixed(1), own.toFixed(1), (own / rate).toFixed(2)]]
    )
  } finally {
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

/** The same four calls with as much in them, as fast as MLflow answers. */
async function accepts(url: string, count: number): Promise<number> {
  const send = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body)
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
    return text
  }
  const hex = (length: number) => Array.from({ length }, () => Math.floor(Math.random() * 16).toString(16)).join("")
  const pairs = (...keys: ReadonlyArray<string>) => keys.map((key) => ({ key, value: `${key} of ${hex(24)}` }))
  const one = async () => {
    const now = Date.now()
    const made = await send("/api/2.0/mlflow/runs/create", {
      experiment_id: "0",
      run_name: hex(12),
      start_time: now,
      tags: pairs("tenant_id", "source", "generation_id", "trace_id", "mlflow.user", "mlflow.source.name")
    })
    const run_id = String(Object(JSON.parse(made)).run.info.run_id)
    await send("/api/2.0/mlflow/runs/log-batch", {
      run_id,
      params: pairs("model_name", "prompt_length", "tenant_id", "user_id", "environment"),
      metrics: ["a", "b", "c", "d", "e", "f", "g"].map((key) => ({ key, value: 1.5, timestamp: now, step: 0 }))
    })
    const traceId = hex(32)
    const at = `${now}000000`
    // As many, and as long, as ours: 15 on the request and on the model's call, question and answer among them.
    const attributes = [
      ...pairs(...Array.from({ length: 14 }, (_, n) => `attribute.${n}`)),
      { key: "mlflow.spanOutputs", value: JSON.stringify({ text: hex(350) }) }
    ].map(({ key, value }) => ({ key, value: { stringValue: value } }))
    const spans = [0, 1, 2, 3, 4].map((n) => ({
      traceId,
      spanId: `${hex(15)}${n}`,
      name: "span",
      startTimeUnixNano: at,
      endTimeUnixNano: at,
      attributes: n % 3 === 0 ? attributes : attributes.slice(0, 1),
      status: { code: 1 }
    }))
    await send(
      "/v1/traces",
      { resourceSpans: [{ scopeSpans: [{ spans }] }] },
      { "x-mlflow-experiment-id": "0", "x-mlflow-run-id": run_id }
    )
    await send("/api/2.0/mlflow/runs/update", { run_id, status: "FINISHED", end_time: now })
  }
  const started = performance.now()
  let left = count
  const loop = async () => {
    while (left-- > 0) await one()
  }
  await Promise.all([loop(), loop(), loop(), loop()])
  return (count / (performance.now() - started)) * 1000
}
