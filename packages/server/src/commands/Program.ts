import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect } from "effect"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import type { HelpDoc } from "effect/cli/HelpDoc"
import { PROGRAM, withoutSources } from "./CommandLine.ts"

// What the commands of `cli.ts` share: how they are run, and how their help and their misuse are printed.

export const program = Command.make(PROGRAM).pipe(
  Command.withDescription("Database commands for operators, developers and auditors")
)

/** Fails, and has said why on standard error, when the arguments are not a command's. */
export const run =
  (args: ReadonlyArray<string>) =>
  <Name extends string, Input, ContextInput, E, R>(commands: Command.Command<Name, Input, ContextInput, E, R>) =>
    Command.runWith(commands, { version: "" })(args).pipe(
      Effect.scoped,
      Effect.provideService(CliConfig.CliConfig, { builtIns: [GlobalFlag.Help] }),
      Effect.provideService(CliOutput.Presenter, { present }),
      Effect.provide(NodeServices.layer)
    )

/** A flag without a value. */
export const option = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

/** A flag with a value, which can be left out. */
export const valued = (name: string, value: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(value), Flag.withDescription(description), Flag.optional)

/** Leaves a command that writes to the sources out of the help of a program without them. */
export const forSources = <Name extends string, Input, ContextInput, E, R>(
  self: Command.Command<Name, Input, ContextInput, E, R>
) => (withoutSources ? Command.unlisted(self) : self)

const formatter = CliOutput.defaultFormatter({ colors: false })

const present: CliOutput.Presenter["present"] = (event) => {
  switch (event._tag) {
    case "Help": {
      const usage = usageOf(event.helpDoc)
      return event.reason === "Requested"
        ? Console.log(formatter.formatHelpDoc({ ...event.helpDoc, usage }))
        : Console.error(`usage: ${usage}`)
    }
    case "InvalidInvocation": {
      const errors = event.errors.map((error) => formatter.formatCliError(error))
      return Console.error([...errors.map(inOneLine), `usage: ${usageOf(event.helpDoc)}`].join("\n"))
    }
    case "Version":
      return Effect.void
  }
}

/** Paragraphs become sentences, lines words. */
const inOneLine = (message: string) =>
  message
    .split("\n\n")
    .map((paragraph) =>
      paragraph
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "")
        .join(" ")
    )
    .filter((paragraph) => paragraph !== "")
    .join(". ")

const usageOf = ({ args = [], commandPath = [], flags, subcommands = [] }: HelpDoc): string =>
  [
    ...commandPath,
    ...subcommands.map(({ commands }) => commands.map(({ name }) => name).join("|")),
    ...(flags.length > 0 && !withoutSources ? ["--"] : []),
    ...flags.map(({ name, type }) => (type === "boolean" ? `[--${name}]` : `[--${name} ${type}]`)),
    ...args.map(({ name, required }) => (required ? name : `[${name}]`))
  ].join(" ")
