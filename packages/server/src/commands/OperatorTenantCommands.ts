import { exportTenant } from "@llm-saas/database/TenantExport"
import { TenantId } from "@llm-saas/domain/Tenant"
import { Console, Effect, Option, Schema } from "effect"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { administrator } from "../Database.ts"
import { StartupFailed } from "../process/Startup.ts"
import { ask, askAll, print, printOne } from "./OperatorDesk.ts"
import { option, valued } from "./Program.ts"

// `npm run operator -- tenants …`.

const json = option("json", "for programs: a JSON object a line")
const id = Argument.String("ID").pipe(Argument.withDescription("of a tenant"))
const pathOf = (id: string) => `/tenants/${encodeURIComponent(id)}`

const list = Command.make(
  "list",
  {
    status: valued("status", "STATUS", "active, suspended or erased"),
    plan: valued("plan", "ID", "with this plan"),
    json
  },
  ({ json, plan, status }) =>
    Effect.flatMap(askAll({ method: "GET", path: "/tenants", query: { status, plan_id: plan } }), (rows) =>
      print(rows, ["id", "name", "status", "plan", "markup", "users", "created_at"], json)
    )
).pipe(Command.withDescription("List tenants"))

const show = Command.make("show", { id, json }, ({ id, json }) =>
  Effect.flatMap(ask({ method: "GET", path: pathOf(id) }), (row) => printOne(row, json))
).pipe(Command.withDescription("Show a tenant"))

const create = Command.make(
  "create",
  {
    name: Flag.String("name").pipe(Flag.withMetavar("NAME"), Flag.withDescription("the name of the tenant")),
    plan: valued("plan", "ID", "the plan it gets"),
    json
  },
  ({ json, name, plan }) =>
    Effect.flatMap(ask({ method: "POST", path: "/tenants", json: { name, plan_id: Option.getOrNull(plan) } }), (row) =>
      printOne(row, json)
    )
).pipe(Command.withDescription("Create a tenant, whatever TENANT_CREATION says"))

const deed = (name: "suspend" | "resume" | "sso-optional", description: string) =>
  Command.make(name, { id, json }, ({ id, json }) =>
    Effect.flatMap(ask({ method: "POST", path: `${pathOf(id)}/${name}` }), (row) => printOne(row, json))
  ).pipe(Command.withDescription(description))

const plan = Command.make(
  "plan",
  { id, plan: valued("plan", "ID", "the plan; without it the tenant has none any more"), json },
  ({ id, json, plan }) =>
    Effect.flatMap(
      ask({ method: "PUT", path: `${pathOf(id)}/plan`, json: { plan_id: Option.getOrNull(plan) } }),
      (row) => printOne(row, json)
    )
).pipe(Command.withDescription("Give a tenant a plan"))

const erase = Command.make(
  "erase",
  {
    id,
    name: Flag.String("name").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("the tenant's name, against a mistaken id")
    ),
    json
  },
  ({ id, json, name }) =>
    Effect.flatMap(ask({ method: "POST", path: `${pathOf(id)}/erase`, json: { name } }), (row) => printOne(row, json))
).pipe(Command.withDescription("Remove a tenant's content, users and keys for good"))

const receipt = Command.make("receipt", { id, json }, ({ id, json }) =>
  Effect.flatMap(ask({ method: "GET", path: `${pathOf(id)}/erasure` }), (row) => printOne(row, json))
).pipe(Command.withDescription("Show what an erasure removed, and whether it is done"))

const correct = Command.make(
  "correct",
  {
    id,
    amount: Flag.String("amount").pipe(
      Flag.withMetavar("DOLLARS"),
      Flag.withDescription("what the tenant owes more, as a decimal; negative: less")
    ),
    note: Flag.String("note").pipe(Flag.withMetavar("TEXT"), Flag.withDescription("why")),
    provider: valued("provider-amount", "DOLLARS", "what is owed to the provider more"),
    generation: valued("generation", "ID", "the answer that it is about"),
    json
  },
  ({ amount, generation, id, json, note, provider }) =>
    Effect.flatMap(
      ask({
        method: "POST",
        path: `${pathOf(id)}/corrections`,
        json: {
          amount,
          note,
          ...(Option.isSome(provider) ? { provider_amount: provider.value } : {}),
          generation_id: Option.getOrNull(generation)
        }
      }),
      (row) => printOne(row, json)
    )
).pipe(Command.withDescription("Correct what a tenant owes, by an entry of its own in the ledger"))

const exporting = Command.make("export", { id }, ({ id }) =>
  Effect.gen(function* () {
    const known = yield* Effect.mapError(
      Schema.decodeUnknownEffect(TenantId)(id),
      () => new StartupFailed({ message: "ID is the id of a tenant" })
    )
    const counts = yield* exportTenant(yield* administrator, known, (line) => Console.log(line))
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
    yield* Console.error(`${total} rows of ${Object.keys(counts).length} tables`)
  })
).pipe(Command.withDescription("Print all of a tenant as JSON lines, texts too, with the administrator's connection"))

export const tenantCommands = Command.make("tenants").pipe(
  Command.withDescription("Tenants"),
  Command.withSubcommands([
    list,
    show,
    create,
    deed("suspend", "Refuse a tenant's users and keys, and stop its answers"),
    deed("resume", "Let a suspended tenant in again"),
    deed("sso-optional", "Let a tenant's people log in by password, whatever its single sign-on requires"),
    plan,
    erase,
    receipt,
    correct,
    exporting
  ])
)
