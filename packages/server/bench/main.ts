/**
 * `npm run bench`: this server beside the same work written by hand on node:http and pg, and beside the database alone. Machines
 * differ and are noisy, so servers take turns within one run and the ratio of medians is what counts.
 *
 *   npm run bench                      everything
 *   npm run bench -- me --seconds 5    one table, longer rounds
 *   npm run bench -- rows --rows 10000000
 */
import { randomBytes } from "node:crypto"
import { cpus } from "node:os"
import { parseArgs } from "node:util"
import { admission } from "./admission.ts"
import { gateway } from "./gateway.ts"
import { get, load, percentile, post } from "./Load.ts"
import { databaseLimit } from "./DatabaseLimit.ts"
import { growth } from "./growth.ts"
import { prepare } from "./Prepare.ts"
import { cpuMicros, residentMegabytes, serve, type Served } from "./Process.ts"
import { requests } from "./requests.ts"
import { joined, mixed, streaming } from "./streaming.ts"
import { median, table } from "./Table.ts"
import { tracking } from "./tracking.ts"
import { upstream } from "./upstream.ts"
import { fileURLToPath } from "node:url"

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "0.5" },
    rounds: { type: "string", default: "15" },
    connections: { type: "string", default: "16" },
    rows: { type: "string", default: "1000000" }
  }
})
const seconds = Number(options.seconds)
const rounds = Number(options.rounds)
const connections = Number(options.connections)
const wanted = (name: string) => positionals.length === 0 || positionals.includes(name)
const script = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const SECRET_KEY = randomBytes(48).toString("base64url")
const database = await prepare()
const ENCRYPTION_KEY = randomBytes(32).toString("base64")
const common = { SECRET_KEY, ENCRYPTION_KEY, DATABASE_URL: database.apiUrl, TENANT_CREATION: "open" }
const ours = await serve("llm-saas", script("../src/main.ts"), { ...common, APP_ENV: "production", LOG_LEVEL: "info" })
const raws = await Promise.all(
  ["statements", "statements-cached", "pipeline", "pipeline-cached"].map((MODE) =>
    serve(`node:http + pg, ${MODE}`, script("raw.ts"), { ...common, MODE })
  )
)
const everything: ReadonlyArray<Served> = [ours, ...raws]

try {
  console.log(
    `\nNode ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${new Date().toISOString().slice(0, 10)}, ${rounds} rounds of ${seconds} s, ${connections} connections`
  )
  console.log(
    `idle memory: ${residentMegabytes(ours.pid).toFixed(0)} MB (raw: ${residentMegabytes(raws[0]?.pid ?? 0).toFixed(0)} MB)`
  )

  const account = await signUp(ours.port)
  const bearer = { authorization: `Bearer ${account.token}` }
  if (wanted("health")) await compare("GET /health", [ours, ...raws.slice(0, 1)], get("/health"))
  if (wanted("me")) await compare("GET /me", everything, get("/me", bearer))
  if (["requests", "list", "question"].some(wanted))
    await requests(
      database,
      { ...common, APP_ENV: "production", LOG_LEVEL: "info" },
      signUp,
      rounds,
      seconds,
      (name) => wanted("requests") || wanted(name)
    )
  if (wanted("login")) await compare("POST /login", [ours, ...raws.slice(0, 1)], login(account.email), 4)
  if (wanted("flood")) await flood(account, bearer)
  const streamed = { ...common, APP_ENV: "test", LOG_LEVEL: "info" }
  if (wanted("streams")) await streaming(streamed, signUp, Math.min(rounds, 5), wanted("beside"))
  if (wanted("joined")) await joined(streamed, signUp)
  if (wanted("mixed")) await mixed(streamed, signUp, Math.min(rounds, 5))
  if (wanted("upstream")) await upstream(streamed, signUp, Math.min(rounds, 5))
  if (["gateway", "gateway-whole", "gateway-streams"].some(wanted))
    await gateway(database, streamed, signUp, rounds, seconds, (name) => wanted("gateway") || wanted(name))
  if (wanted("tracking"))
    await tracking(database, { ...common, APP_ENV: "test", LOG_LEVEL: "error" }, signUp, rounds, seconds)
  if (["growth", "tenants", "rows"].some(wanted))
    await growth(
      database,
      { ...common, APP_ENV: "production", LOG_LEVEL: "info" },
      Math.min(rounds, 7),
      Math.min(seconds, 0.25),
      Number(options.rows),
      (name) => wanted("growth") || wanted(name)
    )
  if (wanted("admission")) await admission(database)
  if (wanted("database")) databaseLimit(database, account)
  console.log(`\nmemory after it all: ${residentMegabytes(ours.pid).toFixed(0)} MB`)
} catch (error) {
  console.error(error)
} finally {
  await Promise.all(everything.map((server) => server.stop()))
  await database.stop()
}

/** Rounds in turn, the first one not counted. */
async function compare(title: string, servers: ReadonlyArray<Served>, request: string, many = connections) {
  const samples = new Map(
    servers.map((server) => [
      server,
      { cpu: [] as Array<number>, rate: [] as Array<number>, p50: [] as Array<number>, p99: [] as Array<number> }
    ])
  )
  for (let round = 0; round <= rounds; round++) {
    for (const server of servers) {
      const before = cpuMicros(server.pid)
      const result = await load({ port: server.port, request, connections: many, seconds, status: 200 })
      const cpu = (cpuMicros(server.pid) - before) / result.requests
      if (round === 0) continue
      const sample = samples.get(server)
      sample?.cpu.push(cpu)
      sample?.rate.push(result.requests / result.seconds)
      sample?.p50.push(percentile(result.latencies, 0.5))
      sample?.p99.push(percentile(result.latencies, 0.99))
    }
  }
  const own = samples.get(ours)
  table(
    title,
    ["server", "CPU µs a request", "ours ÷ this", "requests/s", "p50 ms", "p99 ms"],
    servers.map((server) => {
      const sample = samples.get(server)
      if (sample === undefined || own === undefined) return []
      // Ratio per round: both halves ran under the same conditions.
      const ratio = median(sample.cpu.map((cpu, round) => (own.cpu[round] ?? Number.NaN) / cpu))
      return [
        server.name,
        median(sample.cpu).toFixed(0),
        ratio.toFixed(2),
        median(sample.rate).toFixed(0),
        median(sample.p50).toFixed(2),
        median(sample.p99).toFixed(2)
      ]
    })
  )
}

/**
 * GET /me at a light load, with and without a flood of logins beside it. The p99 of all quiet rounds together and of all flooded ones:
 * a single round holds too few requests to have one.
 */
async function flood(account: Account, bearer: Record<string, string>) {
  const measure = () => load({ port: ours.port, request: get("/me", bearer), connections: 4, seconds, status: 200 })
  const quiet: Array<Float64Array> = []
  const flooded: Array<Float64Array> = []
  let logins = 0
  for (let round = 0; round <= rounds * 2; round++) {
    const before = await measure()
    const [during, flood] = await Promise.all([
      measure(),
      load({ port: ours.port, request: login(account.email), connections: 8, seconds, status: 200 })
    ])
    if (round === 0) continue
    quiet.push(before.latencies)
    flooded.push(during.latencies)
    logins += flood.requests
  }
  const [without, beside] = [quiet, flooded].map((rounds) =>
    Float64Array.from(rounds.flatMap((one) => [...one])).sort()
  )
  if (without === undefined || beside === undefined) return
  const row = (name: string, p: number) => {
    const [a, b] = [percentile(without, p), percentile(beside, p)]
    return [name, a.toFixed(2), b.toFixed(2), (b / a).toFixed(2)]
  }
  table(
    "GET /me beside a login flood",
    ["", "quiet, ms", `8 connections logging in (${(logins / rounds / 2 / seconds).toFixed(0)}/s), ms`, "ratio"],
    [row("p50", 0.5), row("p99", 0.99)]
  )
}

interface Account {
  readonly email: string
  readonly token: string
  readonly userId: string
  readonly tenantId: string
}

function login(email: string) {
  return post(
    "/login",
    `username=${encodeURIComponent(email)}&password=correct+horse+battery+staple`,
    "application/x-www-form-urlencoded"
  )
}

async function signUp(port: number): Promise<Account> {
  const send = async (path: string, body: string, type = "application/json") => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: { "content-type": type },
      body
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as Record<string, string>
  }
  const email = `bench-${randomBytes(6).toString("hex")}@example.com`
  const tenant = await send("/create-tenant", JSON.stringify({ name: "Bench" }))
  const user = await send(
    "/register",
    JSON.stringify({ email, password: "correct horse battery staple", tenant_id: tenant["id"] })
  )
  const token = await send(
    "/login",
    `username=${encodeURIComponent(email)}&password=correct+horse+battery+staple`,
    "application/x-www-form-urlencoded"
  )
  return { email, token: token["access_token"] ?? "", userId: user["id"] ?? "", tenantId: tenant["id"] ?? "" }
}
