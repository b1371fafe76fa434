import * as Command from "effect/cli/Command"
import { Effect } from "effect"
import { named } from "./CommandLine.ts"
import { askAll, print } from "./OperatorDesk.ts"
import { planCommands } from "./OperatorPlanCommands.ts"
import { health, priceCommands } from "./OperatorPriceCommands.ts"
import { tenantCommands } from "./OperatorTenantCommands.ts"
import { tokenCommands } from "./OperatorTokenCommands.ts"
import { option, valued } from "./Program.ts"

// `npm run operator -- …`: what the operator of an installation does. Tokens and exports take the administrator's connection to the
// database, everything else the server's `/operator/…`.

const json = option("json", "for programs: a JSON object a line")

const usage = Command.make(
  "usage",
  {
    from: valued("from", "DAY", "the first day, as in 2027-01-31: the first of this month if it is not said"),
    to: valued("to", "DAY", "the last day: today if it is not said"),
    by: valued("by", "GROUPS", "tenant, model or day, or several with commas: tenant if it is not said"),
    tenant: valued("tenant", "ID", "of this tenant only"),
    json
  },
  ({ by, from, json, tenant, to }) =>
    Effect.flatMap(
      askAll({ method: "GET", path: "/usage", query: { from, to, group_by: by, tenant_id: tenant } }),
      (rows) =>
        print(
          rows,
          ["tenant_id", "model", "day", "requests", "errors", "tenant_amount", "provider_amount", "margin_amount"],
          json
        )
    )
).pipe(Command.withDescription("What tenants used, and what it cost"))

const events = Command.make(
  "events",
  { tenant: valued("tenant", "ID", "about this tenant only"), json },
  ({ json, tenant }) =>
    Effect.flatMap(askAll({ method: "GET", path: "/events", query: { tenant_id: tenant } }), (rows) =>
      print(rows, ["at", "token", "action", "tenant_id", "detail"], json)
    )
).pipe(Command.withDescription("What was done here"))

export const operator = Command.make(named("operator")).pipe(
  Command.withDescription("Tenants, plans, prices and usage of the whole installation"),
  Command.withSubcommands([tokenCommands, tenantCommands, planCommands, priceCommands, usage, health, events])
)
