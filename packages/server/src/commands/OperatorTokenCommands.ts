import { createOperatorToken, listOperatorTokens, revokeOperatorToken } from "@llm-saas/database/logins/OperatorTokens"
import { OperatorTokenId } from "@llm-saas/domain/Operator"
import { Console, DateTime, Duration, Effect, Option, Redacted, Schema } from "effect"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { administrator } from "../Database.ts"
import { StartupFailed } from "../process/Startup.ts"
import { print } from "./OperatorDesk.ts"
import { option, valued } from "./Program.ts"

// `npm run operator -- token …`: with the administrator's connection, as no server can make a token.

const creating = Effect.fnUntraced(function* (given: { readonly name: string; readonly days: Option.Option<string> }) {
  const lifetime = Option.isNone(given.days)
    ? undefined
    : Duration.days(
        yield* Effect.mapError(
          Schema.decodeUnknownEffect(Days)(given.days.value),
          () => new StartupFailed({ message: "--days is a number from 1 to 3660" })
        )
      )
  if (given.name.trim() === "" || given.name.length > 200)
    return yield* new StartupFailed({ message: "--name is a name of 1 to 200 characters" })
  const { text, token } = yield* createOperatorToken(yield* administrator, { name: given.name, lifetime })
  const until = token.expires_at === null ? "it is revoked" : DateTime.formatIso(token.expires_at)
  yield* Console.error(`the token ${token.id} holds until ${until}. It is in the next line and nowhere else:`)
  yield* Console.log(Redacted.value(text))
})

const Days = Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 3660 }))

const create = Command.make(
  "create",
  {
    name: Flag.String("name").pipe(Flag.withMetavar("NAME"), Flag.withDescription("for whom or what it is")),
    days: valued("days", "N", "how long it holds: until it is revoked if it is not said")
  },
  creating
).pipe(Command.withDescription("Print a new token"))

const list = Command.make(
  "list",
  { json: option("json", "for programs") },
  Effect.fnUntraced(function* ({ json }: { readonly json: boolean }) {
    const tokens = yield* listOperatorTokens(yield* administrator)
    const rows = tokens.map(({ created_at, expires_at, id, last_used_at, name, revoked_at }) => ({
      id,
      name,
      created_at: DateTime.formatIso(created_at),
      expires_at: expires_at === null ? null : DateTime.formatIso(expires_at),
      revoked_at: revoked_at === null ? null : DateTime.formatIso(revoked_at),
      last_used_at: last_used_at === null ? null : DateTime.formatIso(last_used_at)
    }))
    yield* print(rows, ["id", "name", "created_at", "expires_at", "revoked_at", "last_used_at"], json)
  })
).pipe(Command.withDescription("List the tokens, without their secrets"))

const revoke = Command.make(
  "revoke",
  { id: Argument.String("ID").pipe(Argument.withDescription("of a token, as the list shows it")) },
  Effect.fnUntraced(function* ({ id }: { readonly id: string }) {
    const known = yield* Effect.mapError(
      Schema.decodeUnknownEffect(OperatorTokenId)(id),
      () => new StartupFailed({ message: "ID is the id of a token" })
    )
    const token = yield* revokeOperatorToken(yield* administrator, known)
    yield* Console.log(`${token.name} is not let in any more`)
  })
).pipe(Command.withDescription("End a token, from the very next request"))

export const tokenCommands = Command.make("token").pipe(
  Command.withDescription("The operator's tokens, with the administrator's connection"),
  Command.withSubcommands([create, list, revoke])
)
