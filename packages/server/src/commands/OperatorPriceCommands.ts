import { Console, Effect, Option } from "effect"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { ask, askAll, print, printOne } from "./OperatorDesk.ts"
import { option, valued } from "./Program.ts"

// `npm run operator -- prices …`.

const json = option("json", "for programs: a JSON object a line")

const list = Command.make(
  "list",
  {
    provider: valued("provider", "NAME", "of this provider"),
    model: valued("model", "NAME", "of this model"),
    own: option("own", "only the operator's own"),
    ended: option("ended", "also those that do not hold any more"),
    json
  },
  ({ ended, json, model, own, provider }) =>
    Effect.flatMap(
      askAll({ method: "GET", path: "/prices", query: { provider, model, own: flag(own), ended: flag(ended) } }),
      (rows) =>
        print(
          rows,
          ["id", "provider", "model", "unit", "service_tier", "tier_start", "amount", "per", "since", "until", "own"],
          json
        )
    )
).pipe(Command.withDescription("List prices of providers"))

const flag = (given: boolean) => (given ? Option.some("true") : Option.none())

const wanted = (name: string, value: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(value), Flag.withDescription(description))

const add = Command.make(
  "add",
  {
    provider: wanted("provider", "NAME", "as the configuration calls it"),
    model: wanted("model", "NAME", "as the provider calls it"),
    unit: wanted("unit", "UNIT", "input, output, cache_read and so on: docs/operator.md"),
    amount: wanted("amount", "DOLLARS", "for a million, as a decimal number"),
    since: valued("since", "TIME", "as in 2027-01-31T12:00:00Z: now if it is not said"),
    json
  },
  ({ json, since, ...price }) =>
    Effect.flatMap(
      ask({ method: "POST", path: "/prices", json: { ...price, since: Option.getOrNull(since) } }),
      (row) => printOne(row, json)
    )
).pipe(Command.withDescription("Set a price of one's own, which ends the one before"))

const end = Command.make(
  "end",
  { id: Argument.String("ID").pipe(Argument.withDescription("of a price of one's own")) },
  ({ id }) =>
    Effect.andThen(
      ask({ method: "DELETE", path: `/prices/${encodeURIComponent(id)}` }),
      Console.log(`the price ${id} holds no more`)
    )
).pipe(Command.withDescription("End a price of one's own"))

export const priceCommands = Command.make("prices").pipe(
  Command.withDescription("Prices of providers"),
  Command.withSubcommands([list, add, end])
)

export const health = Command.make("providers", { json }, ({ json }) =>
  Effect.gen(function* () {
    const { mail, targets, tracking } = yield* ask({ method: "GET", path: "/health" })
    const rows = Array.isArray(targets) ? targets : []
    yield* print(rows, ["provider", "model", "breaker", "retry_seconds", "tenants_waiting"], json)
    if (!json) yield* Console.log(`tracking: ${JSON.stringify(tracking)}\nmail: ${JSON.stringify(mail)}`)
  })
).pipe(
  Command.withDescription(
    "How providers are, as the process knows that answers, and how far tracking and mail are behind"
  )
)
