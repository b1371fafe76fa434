import { environment } from "@llm-saas/testing/VirtualEnvironment"
import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import pg from "pg"
import { get, load, type LoadOptions, percentile, post } from "./Load.ts"
import type { Prepared } from "./Prepare.ts"
import { cpuMicros, postgresCpuMicros, residentMegabytes, serve, type Served } from "./Process.ts"
import type { SignUp } from "./streaming.ts"
import { median, table } from "./Table.ts"
import { fileURLToPath } from "node:url"

const script = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Messages of each user whose list is read, at least. */
const LISTED = 1000

/**
 * Each server is asked for so long before anything is measured. What counts is a server that has run for a while: in its first 20 seconds under
 * load, V8 and PostgreSQL compile and plan for as long as they work.
 */
const WARM_SECONDS = 15

/** A server under test, and a bearer token of a user that it knows. */
interface Known {
  readonly server: Served
  readonly token: string
}

/**
 * The requests that are sent most, beside the same on FastAPI, SQLAlchemy and asyncpg, with the CPU time of the server and of PostgreSQL:
 * GET /me, the newest 20 of 1,000 messages, and a question with an answer of 20 tokens without delay. In turns: the ratio is per round.
 */
export const requests = async (
  database: Prepared,
  environment: Record<string, string>,
  signUp: SignUp,
  rounds: number,
  seconds: number,
  wanted: (name: string) => boolean
) => {
  const server = await serve(
    "llm-saas",
    script("../src/main.ts"),
    {
      ...environment,
      MOCK_TOKENS: "20",
      MOCK_TTFT_MS: "0",
      MOCK_DELAY_MS: "0",
      GENERATIONS_PER_USER: "100000",
      GENERATIONS_PER_TENANT: "100000",
      GENERATIONS_AT_ONCE: "100000"
    },
    process.env["PROFILE"] === undefined ? {} : { flags: ["--cpu-prof", `--cpu-prof-dir=${process.env["PROFILE"]}`] }
  )
  const fastapi = await serveFastapi(database, { TOKENS: "20" })
  try {
    const known: ReadonlyArray<Known> = [
      { server, token: (await signUp(server.port)).token },
      ...(fastapi === undefined ? [] : [fastapi])
    ]
    const all = [
      { name: "me", title: "GET /me", request: (bearer: Bearer) => get("/me", bearer), status: 200 },
      {
        name: "list",
        title: `GET /messages?limit=20 of ${LISTED}`,
        request: (bearer: Bearer) => get("/messages?limit=20", bearer),
        status: 200
      },
      { name: "question", title: "POST /messages, 20 tokens", request: asking, status: 201 }
    ].filter(({ name }) => wanted(name))
    const rows: Array<ReadonlyArray<string>> = []
    for (const { name, request, status, title } of all) {
      if (name === "list") for (const one of known) await fill(one)
      const samples = known.map((one) => ({
        server: one.server,
        found: [] as Array<Measured>,
        measure: (seconds: number) =>
          measured(one.server, database, {
            port: one.server.port,
            request: request({ authorization: `Bearer ${one.token}` }),
            connections: 16,
            seconds,
            status
          })
      }))
      for (const { measure } of samples) await measure(WARM_SECONDS)
      for (let round = -1; round < rounds; round++)
        for (const { found, measure } of samples) {
          const result = await measure(seconds)
          if (round >= 0) found.push(result)
        }
      const [own] = samples
      for (const { found, server } of samples) {
        const of = (read: (one: Measured) => number) => median(found.map(read))
        const sum = ({ cpu, postgres }: Measured) => cpu + postgres
        rows.push([
          title,
          server.name,
          of(({ cpu }) => cpu).toFixed(0),
          of(({ postgres }) => postgres).toFixed(0),
          of(sum).toFixed(0),
          server === own?.server
            ? ""
            : `${median(found.map((one, round) => sum(one) / sum(own?.found[round] ?? one))).toFixed(1)} ×`,
          of(({ rate }) => rate).toFixed(0),
          of(({ p50 }) => p50).toFixed(2),
          of(({ p99 }) => p99).toFixed(2)
        ])
      }
    }
    table(
      `Requests, CPU µs a request of the server and of PostgreSQL (memory: ${known.map((one) => `${one.server.name} ${residentMegabytes(one.server.pid).toFixed(0)} MB`).join(", ")})`,
      ["request", "server", "server µs", "PostgreSQL µs", "together", "of ours", "requests/s", "p50 ms", "p99 ms"],
      rows
    )
  } finally {
    await Promise.all([server.stop(), fastapi?.server.stop()])
  }
}

type Bearer = { readonly authorization: string }

const asking = (bearer: Bearer) =>
  post("/messages", JSON.stringify({ content: "What is a room?" }), "application/json", bearer)

/** Asks until the user has enough messages. */
async function fill({ server, token }: Known) {
  const request = asking({ authorization: `Bearer ${token}` })
  for (let asked = 0; asked < LISTED;) {
    const some = await load({ port: server.port, request, connections: 16, seconds: 0.5, status: 201 })
    asked += some.requests
  }
}

/** The same on FastAPI, in a database of its own. Undefined, with a line that says why, where its packages cannot be had. */
export async function serveFastapi(database: Prepared, more: Record<string, string>): Promise<Known | undefined> {
  const requirement = readFileSync(script("fastapi/requirements.txt"), "utf8").trim().split("\n").join(" ")
  const found = await Effect.runPromise(environment({ name: "fastapi", requirement }))
  if ("missing" in found) {
    console.log(`no comparison with FastAPI: ${found.missing}`)
    return undefined
  }
  const name = `fastapi_${randomBytes(4).toString("hex")}`
  const admin = new pg.Client(database.adminUrl)
  await admin.connect()
  await admin.query(`create database ${name}`)
  await admin.end()
  const url = new URL(database.adminUrl)
  url.pathname = `/${name}`
  const server = await serve(
    "FastAPI",
    script("fastapi/app.py"),
    { ...more, DATABASE_URL: url.href, SECRET_KEY: randomBytes(48).toString("base64url") },
    { program: found.python }
  )
  const response = await fetch(`http://127.0.0.1:${server.port}/sign-up`, { method: "POST" })
  const { token } = (await response.json()) as { readonly token: string }
  return { server, token }
}

interface Measured {
  readonly cpu: number
  readonly postgres: number
  readonly rate: number
  readonly p50: number
  readonly p99: number
}

async function measured(server: Served, database: Prepared, options: LoadOptions): Promise<Measured> {
  const before = [cpuMicros(server.pid), postgresCpuMicros(database.pid)] as const
  const result = await load(options)
  return {
    cpu: (cpuMicros(server.pid) - before[0]) / result.requests,
    postgres: (postgresCpuMicros(database.pid) - before[1]) / result.requests,
    rate: result.requests / result.seconds,
    p50: percentile(result.latencies, 0.5),
    p99: percentile(result.latencies, 0.99)
  }
}
