import { about, report } from "@llm-saas/database/Isolation"
import { inspect } from "@llm-saas/database/isolation/DatabaseChecks"
import type { Inspection } from "@llm-saas/database/isolation/Inspection"
import { reused } from "@llm-saas/database/isolation/ReusedConnection"
import { failedStatement } from "@llm-saas/database/MigrationFailed"
import { psqlLine } from "@llm-saas/database/Psql"
import { grantReader, revokeReaders } from "@llm-saas/database/logins/AuditorLogins"
import { Roles } from "@llm-saas/database/logins/Roles"
import { inspectLogin } from "@llm-saas/database/logins/RoleSafety"
import { connect, rows } from "@llm-saas/database/connections/Script"
import { IsolationReport } from "@llm-saas/domain/Isolation"
import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import { Console, DateTime, Duration, Effect, Option, type Redacted, Schema } from "effect"
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import { administrator } from "../Database.ts"
import { named } from "./CommandLine.ts"
import { formatReport } from "./IsolationText.ts"
import { option, valued } from "./Program.ts"
import { Settings } from "../config/Settings.ts"
import { StartupFailed } from "../process/Startup.ts"

// `npm run audit:…`: auditors' own SQL access, and the isolation report.

/** Tenants are not isolated: the report says where. */
export class NotIsolated extends Schema.TaggedError<NotIsolated>()("NotIsolated", { findings: Schema.Int }) {
  override get message(): string {
    return `${this.findings} finding${this.findings === 1 ? "" : "s"}: tenants may not be kept apart`
  }
}

const isolation = Effect.fnUntraced(function* ({ json }: { readonly json: boolean }) {
  const found = yield* inspected
  yield* Console.log(
    json
      ? JSON.stringify(yield* Effect.orDie(Schema.encodeEffect(IsolationReport)(found)), undefined, 2)
      : formatReport(found)
  )
  if (!found.ok) return yield* new NotIsolated({ findings: found.findings.length })
})

export const auditIsolation = Command.make(
  named("audit:isolation"),
  { json: option("json", "for programs") },
  isolation
).pipe(Command.withDescription("Are tenants kept apart? Exit code 1 if not"))

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
  const visitor = superuser ? yield* anActiveUser(connection) : Option.none()
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

const anActiveUser = Effect.fnUntraced(function* (connection: Effect.Success<ReturnType<typeof connect>>) {
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

const auditGrantFlags = {
  tenant: valued("tenant", "ID", "the rows of this tenant, instead of the metadata of every tenant"),
  content: option("content", "questions and answers too"),
  days: valued("days", "N", "how long it reads: 30 if it is not said"),
  note: valued("note", "WHO", "for whom it is")
}

const granting = Effect.fnUntraced(function* (given: Command.Command.Config.Infer<typeof auditGrantFlags>) {
  const days = yield* decoded(
    Days,
    Option.getOrElse(given.days, () => "30"),
    "--days is a number from 1 to 366"
  )
  const tenantId = yield* tenantOf(given.tenant)
  const { content } = given
  if (content && tenantId === undefined)
    return yield* new StartupFailed({ message: "--content is what was said in one tenant: it needs --tenant" })
  const admin = yield* administrator
  const login = yield* grantReader(admin, {
    tenantId,
    content,
    lifetime: Duration.days(days),
    note: Option.getOrUndefined(given.note)
  })
  yield* Console.error(
    `${login.role} reads ${
      tenantId === undefined
        ? "the metadata of every tenant"
        : `tenant ${tenantId}${content ? ", questions and answers too" : ", but no questions and answers"}`
    } until ${login.expiresAt.toISOString()}. The password is in the line and nowhere else:`
  )
  yield* Console.log(psqlLine(login.url))
})

export const auditGrant = Command.make(named("audit:grant"), auditGrantFlags, granting).pipe(
  Command.withDescription("Print a psql line with which an auditor reads")
)

const auditRevokeFlags = {
  role: valued("role", "NAME", "the line of this login"),
  tenant: valued("tenant", "ID", "the lines that read this tenant"),
  auditors: option("auditors", "the lines that read the metadata of every tenant")
}

const revoking = Effect.fnUntraced(function* (given: Command.Command.Config.Infer<typeof auditRevokeFlags>) {
  const which = Option.isSome(given.role) ? { role: given.role.value } : { tenantId: yield* tenantOf(given.tenant) }
  const admin = yield* administrator
  const gone = yield* revokeReaders(admin, which)
  for (const name of gone) yield* Console.log(`${name} reads nothing any more`)
  if (gone.length === 0) yield* Console.log("no login reads this: nothing was taken away")
})

export const auditRevoke = Command.make(named("audit:revoke"), auditRevokeFlags, revoking).pipe(
  Command.withDescription("Take auditors' psql lines away"),
  Command.validate(({ auditors, role, tenant }) =>
    [Option.isSome(role), Option.isSome(tenant), auditors].filter(Boolean).length === 1
      ? Effect.void
      : Effect.fail(new CliError.ValidationError({ message: "It takes one of --role, --tenant and --auditors" }))
  )
)

const Days = Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 366 }))

const tenantOf = (given: Option.Option<string>) =>
  Option.isNone(given) ? Effect.undefined : decoded(TenantId, given.value, "--tenant is the id of a tenant")

const decoded = <A>(schema: Schema.Codec<A, string>, text: string, message: string) =>
  Effect.mapError(Schema.decodeUnknownEffect(schema)(text), () => new StartupFailed({ message }))
