import { about, inspect, type Inspection, report, reused } from "@llm-saas/database/Isolation"
import { failedStatement, type MigrationFailed } from "@llm-saas/database/MigrationFailed"
import { psqlLine } from "@llm-saas/database/Psql"
import { grantReader, revokeReaders, type TenantUnknown } from "@llm-saas/database/logins/AuditorLogins"
import { Roles } from "@llm-saas/database/logins/Roles"
import { inspectLogin } from "@llm-saas/database/logins/RoleSafety"
import { connect, rows } from "@llm-saas/database/connections/Script"
import { IsolationReport } from "@llm-saas/domain/Isolation"
import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import { Console, DateTime, Duration, Effect, Option, type Redacted, Schema, type Scope } from "effect"
import { parseArgs } from "node:util"
import { administrator } from "../Database.ts"
import { command } from "./CommandLine.ts"
import { formatReport } from "./IsolationText.ts"
import { Settings } from "../config/Settings.ts"
import { StartupFailed } from "../process/Startup.ts"

// `npm run audit:…`: auditors' own SQL access, and the isolation report.

const USAGE = `usage:
  ${command("audit:isolation", "[--json]")}                        are tenants kept apart? exit code 1 if not
  ${command("audit:grant", "[--days 30 --note WHO]")}              a psql line that reads the metadata of every tenant
  ${command("audit:grant", "--tenant ID [--content --days 30 --note WHO]")}   one that reads the rows of a tenant
  ${command("audit:revoke", "--role NAME | --tenant ID | --auditors")}        takes such lines away`

/** Tenants are not isolated: the report says where. */
export class NotIsolated extends Schema.TaggedError<NotIsolated>()("NotIsolated", { findings: Schema.Int }) {
  override get message(): string {
    return `${this.findings} finding${this.findings === 1 ? "" : "s"}: tenants may not be kept apart`
  }
}

type Failures = StartupFailed | MigrationFailed | TenantUnknown | NotIsolated

/** Runs `npm run audit:NAME` with the arguments after it. */
export const auditCommand = (
  name: string,
  args: ReadonlyArray<string>
): Effect.Effect<void, Failures, Settings | Scope.Scope> => {
  switch (name) {
    case "audit:isolation":
      return isolation(args)
    case "audit:grant":
      return grant(args)
    case "audit:revoke":
      return revoke(args)
    default:
      return misused
  }
}

const misused = Effect.fail(new StartupFailed({ message: USAGE }))

const isolation = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const { json } = yield* options(() => parseArgs({ args: [...args], options: { json: { type: "boolean" } } }).values)
  const found = yield* inspected
  yield* Console.log(
    json === true
      ? JSON.stringify(yield* Effect.orDie(Schema.encodeEffect(IsolationReport)(found)), undefined, 2)
      : formatReport(found)
  )
  if (!found.ok) return yield* new NotIsolated({ findings: found.findings.length })
})

/**
 * Inspects as the API: with its own login if DATABASE_URL is that, or as it if DATABASE_URL is a superuser's. What a connection keeps of
 * a room is tested with an existing user, whom only a superuser can find.
 */
const inspected = Effect.gen(function* () {
  const { DATABASE_URL } = yield* Settings
  return yield* reportAt(DATABASE_URL ?? (yield* administrator))
})

/** The report on a database, by the API's login or a superuser. */
export const reportAt = Effect.fnUntraced(function* (url: Redacted.Redacted) {
  const { api } = yield* Roles
  const { risks, role } = yield* inspectLogin(url)
  const superuser = risks.includes("is a superuser")
  const connection = yield* connect(url)
  const visitor = superuser ? yield* somebody(connection) : Option.none()
  if (superuser) yield* rows(connection, `set session authorization ${api}`)
  else if (role !== api)
    return yield* new StartupFailed({
      message: `isolation is tried as ${api}, or by a superuser in its name, and not as ${role}`
    })
  return yield* Effect.gen(function* () {
    const looked = yield* inspect(connection)
    const kept = Option.isSome(visitor) ? yield* reused(connection, visitor.value) : NOT_TRIED
    return report(yield* about(connection), yield* DateTime.now, [looked, kept])
  }).pipe(Effect.mapError((error) => failedStatement(error)))
}, Effect.scoped)

const NOT_TRIED: Inspection = {
  checks: [],
  findings: [],
  notes: [
    "Not tried: what a connection keeps of a room, which needs a user to enter as. GET /tenants/{id}/isolation-report tries it."
  ]
}

const somebody = Effect.fnUntraced(function* (connection: Effect.Success<ReturnType<typeof connect>>) {
  const found = yield* rows(
    connection,
    `select u.tenant_id as "tenantId", u.id as "userId", u.token_epoch as "tokenEpoch" from app.users u join app.tenants t on t.id = u.tenant_id
     where u.status = 'active' and t.status = 'active' limit 1`
  )
  const [visitor] = yield* Effect.orDie(decodeVisitors(found))
  return Option.fromUndefinedOr(visitor)
})

const decodeVisitors = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ tenantId: TenantId, userId: UserId, tokenEpoch: Schema.Int }))
)

const grant = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const given = yield* options(
    () =>
      parseArgs({
        args: [...args],
        options: {
          tenant: { type: "string" },
          content: { type: "boolean" },
          days: { type: "string" },
          note: { type: "string" }
        }
      }).values
  )
  const days = yield* decoded(Days, given.days ?? "30", "--days is a number from 1 to 366")
  const tenantId =
    given.tenant === undefined ? undefined : yield* decoded(TenantId, given.tenant, "--tenant is the id of a tenant")
  const content = given.content === true
  if (content && tenantId === undefined)
    return yield* new StartupFailed({ message: "--content is what was said in one tenant: it needs --tenant" })
  const admin = yield* administrator
  const login = yield* grantReader(admin, { tenantId, content, lifetime: Duration.days(days), note: given.note })
  yield* Console.error(
    `${login.role} reads ${
      tenantId === undefined
        ? "the metadata of every tenant"
        : `tenant ${tenantId}${content ? ", questions and answers too" : ", but no questions and answers"}`
    } until ${login.expiresAt.toISOString()}. The password is in the line and nowhere else:`
  )
  yield* Console.log(psqlLine(login.url))
})

const revoke = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const { auditors, role, tenant } = yield* options(
    () =>
      parseArgs({
        args: [...args],
        options: { tenant: { type: "string" }, role: { type: "string" }, auditors: { type: "boolean" } }
      }).values
  )
  if ([tenant, role, auditors].filter((one) => one !== undefined).length !== 1) return yield* misused
  const which =
    role === undefined
      ? {
          tenantId:
            tenant === undefined ? undefined : yield* decoded(TenantId, tenant, "--tenant is the id of a tenant")
        }
      : { role }
  const admin = yield* administrator
  const gone = yield* revokeReaders(admin, which)
  for (const name of gone) yield* Console.log(`${name} reads nothing any more`)
  if (gone.length === 0) yield* Console.log("there was nobody to take it from")
})

const Days = Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 366 }))

const options = <A>(parse: () => A): Effect.Effect<A, StartupFailed> =>
  Effect.try({
    try: parse,
    catch: (error) =>
      new StartupFailed({ message: `${error instanceof Error ? error.message : String(error)}\n${USAGE}` })
  })

const decoded = <A>(schema: Schema.Codec<A, string>, text: string, message: string) =>
  Effect.mapError(Schema.decodeUnknownEffect(schema)(text), () => new StartupFailed({ message }))
