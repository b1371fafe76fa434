import { Console, Effect, FileSystem, Schema } from "effect"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { StartupFailed } from "../process/Startup.ts"
import { ask, askAll, print, printOne } from "./OperatorDesk.ts"
import { option } from "./Program.ts"

// `npm run operator -- plans …`. A plan is a JSON file, as the API takes it.

const json = option("json", "for programs: a JSON object a line")
const id = Argument.String("ID").pipe(Argument.withDescription("of a plan"))
const file = Argument.String("FILE").pipe(Argument.withDescription("the plan as JSON: docs/operator.md"))
const pathOf = (id: string) => `/plans/${encodeURIComponent(id)}`

const planIn = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(
    fs.readFileString(path),
    () => new StartupFailed({ message: `${path} cannot be read` })
  )
  return yield* Effect.mapError(
    Schema.decodeEffect(Schema.fromJsonString(Schema.Unknown))(text),
    () => new StartupFailed({ message: `${path} is not JSON` })
  )
})

const list = Command.make("list", { json }, ({ json }) =>
  Effect.flatMap(askAll({ method: "GET", path: "/plans" }), (rows) =>
    print(rows, ["id", "name", "markup", "tenants", "limits"], json)
  )
).pipe(Command.withDescription("List plans"))

const show = Command.make("show", { id, json }, ({ id, json }) =>
  Effect.flatMap(ask({ method: "GET", path: pathOf(id) }), (row) => printOne(row, json))
).pipe(Command.withDescription("Show a plan"))

const create = Command.make("create", { file, json }, ({ file, json }) =>
  Effect.gen(function* () {
    yield* printOne(yield* ask({ method: "POST", path: "/plans", json: yield* planIn(file) }), json)
  })
).pipe(Command.withDescription("Make a plan"))

const change = Command.make("change", { id, file, json }, ({ file, id, json }) =>
  Effect.gen(function* () {
    yield* printOne(yield* ask({ method: "PUT", path: pathOf(id), json: yield* planIn(file) }), json)
  })
).pipe(Command.withDescription("Replace a plan, for its tenants too"))

const remove = Command.make("remove", { id }, ({ id }) =>
  Effect.andThen(ask({ method: "DELETE", path: pathOf(id) }), Console.log(`the plan ${id} is gone`))
).pipe(Command.withDescription("Remove a plan that no tenant has"))

export const planCommands = Command.make("plans").pipe(
  Command.withDescription("Plans"),
  Command.withSubcommands([list, show, create, change, remove])
)
