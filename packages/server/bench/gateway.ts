import { environment } from "@llm-saas/testing/VirtualEnvironment"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { loadavg } from "node:os"
import { load, percentile, post } from "./Load.ts"
import type { Prepared } from "./Prepare.ts"
import { cpuMicros, postgresCpuMicros, residentMegabytes, serve, type Served } from "./Process.ts"
import { streams } from "./Streams.ts"
import { type SignUp, UNLIMITED } from "./streaming.ts"
import { median, table } from "./Table.ts"
import { fileURLToPath } from "node:url"

const script = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const MODEL = "gpt-4o-mini"
const QUESTION = "What is a room?"
/** Tokens of a whole answer. */
const WHOLE_TOKENS = 20
const STREAMS = 50
/** Each door is asked for so long before anything is measured: see `requests.ts`. */
const WARM_SECONDS = 10
/** Rounds of streams through LiteLLM, at most. */
const LITELLM_ROUNDS = 2
const PACES = [
  { name: "20 ms a token", tokens: 100, delay: 20 },
  { name: "flat out", tokens: 200, delay: 0 }
] as const

type Kind = "native" | "door" | "other" | "upstream"

/** A door of a server: how it is asked for whole answers, and for streams. */
interface Door {
  readonly name: string
  readonly kind: Kind
  readonly server: Served
  readonly whole: string
  readonly status: number
  readonly stream: string
  readonly done: string
}

/**
 * One OpenAI-like provider, asked through each of our doors, through LiteLLM's proxy, and directly. CPU is that of the server and of
 * PostgreSQL together; LiteLLM has no database. In turns: ratios are per round. DOORS names some of them, with commas between.
 */
export const gateway = async (
  database: Prepared,
  variables: Record<string, string>,
  signUp: SignUp,
  rounds: number,
  seconds: number,
  wanted: (name: string) => boolean
) => {
  const provider = await serve("the provider itself", script("provider.ts"), {})
  const base = `http://127.0.0.1:${provider.port}/v1`
  const ours = await serve(
    "llm-saas",
    script("../src/main.ts"),
    { ...variables, ...UNLIMITED, OPENAI_BASE_URL: base, OPENAI_API_KEY: "benchmark", LLM_MODEL: MODEL },
    process.env["PROFILE"] === undefined ? {} : { flags: ["--cpu-prof", `--cpu-prof-dir=${process.env["PROFILE"]}`] }
  )
  const litellm = await serveLitellm(base)
  try {
    const { token } = await signUp(ours.port)
    const key = await keyOf(ours, token)
    const chosen = process.env["DOORS"]?.split(",")
    const doors = [
      ...doorsOf(ours, token, key),
      ...(litellm === undefined ? [] : [chatDoor("LiteLLM, chat", "other", litellm, LITELLM_KEY)]),
      chatDoor("the provider itself", "upstream", provider, "none")
    ].filter(({ name }) => chosen === undefined || chosen.some((part) => name.includes(part)))
    const pace = (tokens: number, delay: number) =>
      fetch(`http://127.0.0.1:${provider.port}/pace?tokens=${tokens}&delay=${delay}`)
    const postgres = () => postgresCpuMicros(database.pid)
    console.log(
      `\nload of the machine: ${loadavg()
        .map((one) => one.toFixed(1))
        .join(", ")}`
    )

    if (wanted("gateway-whole")) {
      await pace(WHOLE_TOKENS, 0)
      await wholeAnswers(doors, postgres, rounds, seconds)
    }
    for (const { delay, name, tokens } of PACES) {
      if (!wanted("gateway-streams")) continue
      await pace(tokens, delay)
      await streamed({ doors, database: postgres, rounds: Math.min(rounds, 5), name, tokens })
    }
    const servers = [ours, ...(litellm === undefined ? [] : [litellm])]
    console.log(
      `\nmemory: ${servers.map(({ name, pid }) => `${name} ${residentMegabytes(pid).toFixed(0)} MB`).join(", ")}; load of the machine: ${loadavg()
        .map((one) => one.toFixed(1))
        .join(", ")}`
    )
  } finally {
    await Promise.all([ours.stop(), litellm?.stop(), provider.stop()])
  }
}

const JSON_TYPE = "application/json"

const doorsOf = (server: Served, token: string, key: string): ReadonlyArray<Door> => {
  const native = (name: string, kind: Kind, bearer: string): Door => {
    const ask = (path: string) =>
      post(path, JSON.stringify({ content: QUESTION }), JSON_TYPE, { authorization: `Bearer ${bearer}` })
    return { name, kind, server, whole: ask("/messages"), status: 201, stream: ask("/messages/stream"), done: DONE }
  }
  const authorization = `Bearer ${key}`
  const messages = (stream: boolean) =>
    post(
      "/v1/messages",
      JSON.stringify({ model: MODEL, max_tokens: 1000, stream, messages: [{ role: "user", content: QUESTION }] }),
      JSON_TYPE,
      { "x-api-key": key, "anthropic-version": "2023-06-01" }
    )
  const responses = (stream: boolean) =>
    post("/v1/responses", JSON.stringify({ model: MODEL, stream, input: QUESTION }), JSON_TYPE, { authorization })
  const door = { kind: "door", server, status: 200 } as const
  return [
    native("POST /messages", "native", token),
    native("POST /messages, with a key", "other", key),
    chatDoor("/v1/chat/completions", "door", server, key),
    {
      ...door,
      name: "/v1/messages",
      whole: messages(false),
      stream: messages(true),
      done: "event: message_stop"
    },
    {
      ...door,
      name: "/v1/responses",
      whole: responses(false),
      stream: responses(true),
      done: "event: response.completed"
    }
  ]
}

const DONE = "data: [DONE]"

const chatDoor = (name: string, kind: Kind, server: Served, key: string): Door => {
  const ask = (stream: boolean) =>
    post(
      "/v1/chat/completions",
      JSON.stringify({ model: MODEL, ...(stream ? { stream } : {}), messages: [{ role: "user", content: QUESTION }] }),
      JSON_TYPE,
      { authorization: `Bearer ${key}` }
    )
  return { name, kind, server, whole: ask(false), status: 200, stream: ask(true), done: DONE }
}

async function keyOf(server: Served, token: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${server.port}/keys`, {
    method: "POST",
    headers: { "content-type": JSON_TYPE, authorization: `Bearer ${token}` },
    body: JSON.stringify({ name: "benchmark", scopes: ["chat"], models: [MODEL] })
  })
  const made = (await response.json()) as { readonly key?: string }
  if (made.key === undefined) throw new Error(`no key: ${response.status} ${JSON.stringify(made)}`)
  return made.key
}

const LITELLM_KEY = "sk-benchmark"

/** LiteLLM's proxy. Undefined, with a line that says why, where it cannot be installed. */
async function serveLitellm(base: string): Promise<Served | undefined> {
  const requirement = readFileSync(script("litellm/requirements.txt"), "utf8").trim()
  const version = requirement.split("==")[1] ?? ""
  const found = await Effect.runPromise(environment({ name: `litellm-${version}`, requirement }))
  if ("missing" in found) {
    console.log(`no comparison with LiteLLM: ${found.missing}`)
    return undefined
  }
  return serve(
    `LiteLLM ${version}`,
    script("litellm/proxy.py"),
    {
      MODEL,
      PROVIDER: base,
      KEY: LITELLM_KEY,
      // Prices as its package has them, not from the network.
      LITELLM_LOCAL_MODEL_COST_MAP: "True",
      LITELLM_LOG: "ERROR",
      HOME: process.env["HOME"] ?? "/tmp"
    },
    { program: found.python, health: "/health/liveliness" }
  )
}

interface Whole {
  readonly cpu: number
  readonly postgres: number
  readonly rate: number
  readonly p50: number
  readonly p99: number
}

async function wholeAnswers(doors: ReadonlyArray<Door>, database: () => number, rounds: number, seconds: number) {
  const samples = doors.map((door) => ({ door, found: [] as Array<Whole> }))
  // What a long-running server has compiled and planned.
  for (const { server, status, whole } of doors)
    await load({ port: server.port, request: whole, connections: 16, seconds: WARM_SECONDS, status })
  for (let round = -1; round < rounds; round++)
    for (const { door, found } of samples) {
      const before = [cpuMicros(door.server.pid), database()] as const
      const { server, status, whole } = door
      const { latencies, ...result } = await load({
        port: server.port,
        request: whole,
        connections: 16,
        seconds,
        status
      })
      if (round < 0) continue
      found.push({
        cpu: (cpuMicros(server.pid) - before[0]) / result.requests,
        // What PostgreSQL does meanwhile is not done for a server without a database.
        postgres: isOurs(door) ? (database() - before[1]) / result.requests : 0,
        rate: result.requests / result.seconds,
        p50: percentile(latencies, 0.5),
        p99: percentile(latencies, 0.99)
      })
    }
  const sum = ({ cpu, postgres }: Whole) => cpu + postgres
  const ratio = ratios(samples, sum)
  table(
    `Whole answers of ${WHOLE_TOKENS} tokens, CPU µs a request`,
    [
      "door",
      "server µs",
      "PostgreSQL µs",
      "together",
      "of POST /messages",
      "of chat",
      "requests/s",
      "p50 ms",
      "p99 ms"
    ],
    samples.map(({ door, found }) => {
      const of = (read: (one: Whole) => number, digits = 0) => median(found.map(read)).toFixed(digits)
      return [
        door.name,
        of(({ cpu }) => cpu),
        of(({ postgres }) => postgres),
        of(sum),
        ...ratio(found),
        of(({ rate }) => rate),
        of(({ p50 }) => p50, 2),
        of(({ p99 }) => p99, 2)
      ]
    })
  )
}

interface Streamed {
  readonly cpu: number
  readonly postgres: number
  readonly first: number
  readonly first99: number
  readonly rate: number
  readonly memory: number
}

async function streamed({
  database,
  doors,
  name,
  rounds,
  tokens
}: {
  readonly doors: ReadonlyArray<Door>
  readonly database: () => number
  readonly rounds: number
  readonly name: string
  readonly tokens: number
}) {
  const samples = doors.map((door) => ({ door, found: [] as Array<Streamed>, broken: 0 }))
  for (let round = -1; round < rounds; round++)
    for (const sample of samples) {
      const { done, server, stream } = sample.door
      // Its rounds take a minute.
      if (server.name.startsWith("LiteLLM") && round >= LITELLM_ROUNDS) continue
      const before = [cpuMicros(server.pid), database()] as const
      const resting = residentMegabytes(server.pid)
      let peak = resting
      const watch = setInterval(() => {
        peak = Math.max(peak, residentMegabytes(server.pid))
      }, 50)
      const result = await streams({ port: server.port, request: stream, streams: STREAMS, done })
      clearInterval(watch)
      sample.broken += result.broken
      if (round < 0) continue
      sample.found.push({
        cpu: (cpuMicros(server.pid) - before[0]) / (STREAMS * tokens),
        postgres: isOurs(sample.door) ? (database() - before[1]) / (STREAMS * tokens) : 0,
        first: percentile(result.first, 0.5),
        first99: percentile(result.first, 0.99),
        rate: (STREAMS * tokens) / result.seconds,
        memory: ((peak - resting) * 1024) / STREAMS
      })
    }
  const direct = samples.find(({ door }) => door.kind === "upstream")?.found ?? []
  const sum = ({ cpu, postgres }: Streamed) => cpu + postgres
  const ratio = ratios(samples, sum)
  table(
    `${STREAMS} streams at once of ${tokens} tokens, ${name}; CPU µs a token, that of its request included`,
    [
      "door",
      "server µs",
      "PostgreSQL µs",
      "together",
      "of /messages/stream",
      "of chat",
      "tokens/s",
      "first token added p50 ms",
      "p99 ms",
      "kB a stream",
      "broken"
    ],
    samples.map(({ broken, door, found }) => {
      const of = (read: (one: Streamed) => number, digits = 1) => median(found.map(read)).toFixed(digits)
      const added = (read: (one: Streamed) => number) =>
        median(
          found.map((one, round) => {
            const plain = direct[round]
            return plain === undefined ? Number.NaN : read(one) - read(plain)
          })
        ).toFixed(1)
      return [
        door.kind === "native" || door.name.includes("with a key")
          ? door.name.replace("/messages", "/messages/stream")
          : door.name,
        of(({ cpu }) => cpu),
        of(({ postgres }) => postgres),
        of(sum),
        ...ratio(found),
        of(({ rate }) => rate, 0),
        added(({ first }) => first),
        added(({ first99 }) => first99),
        of(({ memory }) => memory, 0),
        String(broken)
      ]
    })
  )
}

const isOurs = ({ kind, name }: Door) => kind === "native" || kind === "door" || name.includes("with a key")

/** Two cells: how many times the CPU of the native door, and of the chat door, this one takes. Per round: both ran under the same conditions. */
function ratios<A>(
  samples: ReadonlyArray<{ readonly door: Door; readonly found: ReadonlyArray<A> }>,
  sum: (one: A) => number
) {
  const [native, chat] = [
    samples.find(({ door }) => door.kind === "native"),
    samples.find(({ door }) => door.kind === "door")
  ]
  const cell = (found: ReadonlyArray<A>, other: ReadonlyArray<A> | undefined) =>
    other === undefined || found === other
      ? ""
      : median(
          found.map((one, round) => {
            const beside = other[round]
            return beside === undefined ? Number.NaN : sum(one) / sum(beside)
          })
        ).toFixed(2)
  return (found: ReadonlyArray<A>) => [cell(found, native?.found), cell(found, chat?.found)]
}
