import { type Amount, type Caller, connected, fill, type Filled } from "./Filled.ts"
import { get, load, percentile, post } from "./Load.ts"
import type { Prepared } from "./Prepare.ts"
import { cpuMicros, postgresCpuMicros, serve, type Served } from "./Process.ts"
import { median, table } from "./Table.ts"
import { fileURLToPath } from "node:url"

const script = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const CONNECTIONS = 8
/** Of each request, before anything is measured. */
const WARM_SECONDS = 0.5
/** Users beside the big one have 30 messages each, or as many as the tenants' databases give them. */
const MESSAGES_EACH = 30

/** A database, and a server that has no other. */
interface Place {
  readonly filled: Filled
  readonly server: Served
}

interface Measured {
  readonly server: number
  readonly postgres: number
  readonly p50: number
  readonly p99: number
}

/**
 * How cost grows: the same requests on databases of different sizes, all of them there at once and measured in turns, so that the ratio to
 * the smallest is of the same seconds. First ten times more tenants at a time with the same rows, then ten times more rows up to `most`.
 */
export const growth = async (
  database: Prepared,
  environment: Record<string, string> & { readonly SECRET_KEY: string },
  rounds: number,
  seconds: number,
  most: number,
  wanted: (name: string) => boolean
) => {
  const powers = (from: number, to: number) =>
    Array.from({ length: Math.round(Math.log10(to / from)) + 1 }, (_, power) => from * 10 ** power)
  const series = [
    {
      name: "tenants",
      title: "tenants, with 10,000 users and 100,000 messages among them",
      amounts: powers(10, 10_000).map((tenants) => ({ tenants, users: 10_000, rows: 100_000 }))
    },
    {
      name: "rows",
      title: "rows: messages of 10 tenants' users, who have 30 each, and one who has a tenth of all",
      amounts: powers(1000, most).map((rows) => ({ tenants: 10, users: (rows * 0.9) / MESSAGES_EACH, rows }))
    }
  ] as const
  for (const { amounts, name, title } of series.filter(({ name }) => wanted(name))) {
    const places: Array<Place> = []
    try {
      for (const amount of amounts) places.push(await open(database, environment, `growth_${amount[name]}`, amount))
      await measure(database, places, name, title, rounds, seconds)
      await periodic(places, name)
    } finally {
      for (const { filled, server } of places) {
        await server.stop()
        await filled.drop()
      }
    }
  }
}

const open = async (
  database: Prepared,
  environment: Record<string, string> & { readonly SECRET_KEY: string },
  name: string,
  amount: Amount
): Promise<Place> => {
  const started = performance.now()
  const filled = await fill(database, name, amount, environment.SECRET_KEY)
  console.log(`${name}: filled in ${((performance.now() - started) / 1000).toFixed(0)} s`)
  const server = await serve(name, script("../src/main.ts"), {
    ...environment,
    DATABASE_URL: filled.apiUrl,
    MOCK_TOKENS: "20",
    MOCK_TTFT_MS: "0",
    MOCK_DELAY_MS: "0",
    GENERATIONS_PER_USER: "100000",
    GENERATIONS_PER_TENANT: "100000",
    GENERATIONS_AT_ONCE: "100000"
  })
  return { filled, server }
}

const as = ({ token }: Caller) => ({ authorization: `Bearer ${token}` })
const list = "/messages?limit=20"

/** What is asked, in turns in the names of many users. */
const REQUESTS: ReadonlyArray<{
  readonly title: string
  readonly status: number
  readonly of: (filled: Filled) => ReadonlyArray<string>
}> = [
  { title: "GET /me", status: 200, of: ({ callers }) => callers.map((one) => get("/me", as(one))) },
  {
    title: "GET /messages/{id}",
    status: 200,
    of: ({ big, callers }) =>
      [...callers, big].flatMap((one) => one.messages.map((id) => get(`/messages/${id}`, as(one))))
  },
  { title: `GET ${list}`, status: 200, of: ({ callers }) => callers.map((one) => get(list, as(one))) },
  { title: "the same, of the user with a tenth of all", status: 200, of: ({ big }) => [get(list, as(big))] },
  { title: "the same, scope=tenant", status: 200, of: ({ big }) => [get(`${list}&scope=tenant`, as(big))] },
  {
    title: "GET /conversations/{id}/messages, the longest",
    status: 200,
    of: ({ big }) => [get(`/conversations/${big.conversation}${list}`, as(big))]
  },
  {
    title: "POST /messages, 20 tokens",
    status: 201,
    of: ({ callers }) =>
      callers.map((one) =>
        post("/messages", JSON.stringify({ content: "What is a room?" }), "application/json", as(one))
      )
  }
]

async function measure(
  database: Prepared,
  places: ReadonlyArray<Place>,
  name: keyof Amount,
  title: string,
  rounds: number,
  seconds: number
) {
  // A server that has just started compiles for some thousands of requests.
  for (const { filled, server } of places)
    for (const { of, status } of REQUESTS)
      await load({ port: server.port, request: of(filled), connections: CONNECTIONS, seconds: WARM_SECONDS, status })
  const rows: Array<ReadonlyArray<string>> = []
  for (const { of, status, title } of REQUESTS) {
    const samples = places.map(({ filled, server }) => {
      const request = of(filled)
      return {
        amount: filled.amount[name],
        found: [] as Array<Measured>,
        measure: async (): Promise<Measured> => {
          const before = [cpuMicros(server.pid), postgresCpuMicros(database.pid)] as const
          const result = await load({ port: server.port, request, connections: CONNECTIONS, seconds, status })
          return {
            server: (cpuMicros(server.pid) - before[0]) / result.requests,
            postgres: (postgresCpuMicros(database.pid) - before[1]) / result.requests,
            p50: percentile(result.latencies, 0.5),
            p99: percentile(result.latencies, 0.99)
          }
        }
      }
    })
    for (let round = -2; round < rounds; round++)
      for (const { found, measure } of samples) {
        const result = await measure()
        if (round >= 0) found.push(result)
      }
    const sum = (one: Measured | undefined) => (one === undefined ? Number.NaN : one.server + one.postgres)
    for (const { amount, found } of samples) {
      const of = (read: (one: Measured) => number) => median(found.map(read))
      rows.push([
        title,
        amount.toLocaleString("en"),
        of((one) => one.server).toFixed(0),
        of((one) => one.postgres).toFixed(0),
        of(sum).toFixed(0),
        median(found.map((one, round) => sum(one) / sum(samples[0]?.found[round]))).toFixed(2),
        of((one) => one.p50).toFixed(2),
        of((one) => one.p99).toFixed(2)
      ])
    }
  }
  table(
    `How cost grows: ${title}. CPU µs a request, ${CONNECTIONS} connections`,
    ["request", name, "server", "PostgreSQL", "together", "of the first", "p50 ms", "p99 ms"],
    rows
  )
}

/** What each process asks all the time, whether or not there is something to do. */
async function periodic(places: ReadonlyArray<Place>, name: keyof Amount) {
  const calls: ReadonlyArray<{
    readonly title: string
    readonly sql: string
    readonly params: (filled: Filled, call: number) => ReadonlyArray<unknown>
  }> = [
    { title: "work.sweep", sql: "select work.sweep(100)", params: () => [] },
    { title: "work.purge", sql: "select work.purge(500)", params: () => [] },
    { title: "work.renew of none", sql: RENEW, params: ({ running }) => [running.lease, [], []] },
    {
      title: "work.renew of 100",
      sql: RENEW,
      params: ({ running }) => [running.lease, running.tenants, running.generations]
    },
    { title: "work.append of none", sql: APPEND, params: ({ running }) => [running.lease, [], [], [], []] },
    {
      title: "work.append, 100 chunks of 10 tokens",
      sql: APPEND,
      params: ({ running }, call) => [
        running.lease,
        running.tenants,
        running.generations,
        running.generations.map(() => 1 + call * 10),
        running.generations.map(() => JSON.stringify(Array.from({ length: 10 }, () => "token ")))
      ]
    }
  ]
  const clients = await Promise.all(
    places.map(async (place) => ({ ...place, client: await connected(place.filled.apiUrl) }))
  )
  try {
    const rows: Array<ReadonlyArray<string>> = []
    for (const { params, sql, title } of calls) {
      const taken = places.map((): Array<number> => [])
      for (let call = -WARM_CALLS; call < CALLS; call++) {
        for (const [index, { client, filled }] of clients.entries()) {
          const started = performance.now()
          await client.query({ name: title, text: sql, values: [...params(filled, call + WARM_CALLS)] })
          if (call >= 0) taken[index]?.push(performance.now() - started)
        }
        // As often as a process writes. Closer together, a row's earlier versions would still be in its index: an asynchronous commit is
        // not known to be over for up to 0.6 s.
        await new Promise((resolve) => setTimeout(resolve, PERIOD_MS))
      }
      rows.push([title, ...taken.map((times) => median(times).toFixed(2))])
    }
    table(
      "Periodic work of a process, median ms a call",
      ["call", ...places.map(({ filled }) => `${filled.amount[name].toLocaleString("en")} ${name}`)],
      rows
    )
  } finally {
    await Promise.all(clients.map(({ client }) => client.end()))
  }
}

const WARM_CALLS = 5
const CALLS = 9
const PERIOD_MS = 250

const RENEW = "select * from work.renew($1::uuid, $2::uuid[], $3::uuid[])"
const APPEND = "select * from work.append($1::uuid, $2::uuid[], $3::uuid[], $4::integer[], $5::text[])"
