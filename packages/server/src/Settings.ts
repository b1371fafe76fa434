import { Registration } from "@llm-saas/domain/Tenant"
import { Context, Effect, Layer, Redacted, Schema, SchemaGetter, SchemaIssue } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { parseEnv } from "node:util"
import { StartupFailed } from "./Startup.ts"

const whole = (minimum: number, maximum: number) =>
  Schema.String.check(
    Schema.isPattern(/^\d{1,9}$/u, { expected: `a whole number from ${minimum} to ${maximum}` })
  ).pipe(
    Schema.decodeTo(Schema.Int.check(Schema.isBetween({ minimum, maximum })), {
      decode: SchemaGetter.transform((text) => Number(text)),
      encode: SchemaGetter.transform((number) => String(number))
    })
  )

const Flag = Schema.Literals(["true", "false", "1", "0"]).pipe(
  Schema.decodeTo(Schema.Boolean, {
    decode: SchemaGetter.transform((text) => text === "true" || text === "1"),
    encode: SchemaGetter.transform((flag) => (flag ? ("true" as const) : ("false" as const)))
  })
)

const Origin = Schema.String.check(
  Schema.isPattern(/^https?:\/\/[^/?#\s]+$/u, { expected: "an origin such as https://app.example.com" })
)

const PostgresUrl = Schema.String.check(
  Schema.isPattern(/^postgres(ql)?:\/\/\S+$/u, {
    expected: "a URL such as postgres://user:password@host:5432/database"
  })
).pipe(Schema.RedactedFromValue)

/** Every variable the program reads, and nothing else. `.env.example` explains them to people; a test keeps the two equal. */
export const Variables = Schema.Struct({
  APP_NAME: Schema.optionalKey(Schema.NonEmptyString),
  APP_ENV: Schema.optionalKey(Schema.Literals(["development", "production", "test"])),
  DEBUG: Schema.optionalKey(Flag),
  HOST: Schema.optionalKey(Schema.NonEmptyString),
  PORT: Schema.optionalKey(whole(0, 65_535)),
  SECRET_KEY: Schema.optionalKey(Schema.String.pipe(Schema.RedactedFromValue)),
  ALGORITHM: Schema.optionalKey(Schema.Literals(["HS256", "RS256", "ES256", "EdDSA"])),
  JWT_PRIVATE_KEY_FILE: Schema.optionalKey(Schema.NonEmptyString),
  ACCESS_TOKEN_EXPIRE_MINUTES: Schema.optionalKey(whole(1, 525_600)),
  DATABASE_URL: Schema.optionalKey(PostgresUrl),
  DATABASE_ADMIN_URL: Schema.optionalKey(PostgresUrl),
  DATABASE_POOL_SIZE: Schema.optionalKey(whole(1, 1000)),
  ALLOWED_ORIGINS: Schema.optionalKey(Schema.fromJsonString(Schema.Array(Origin))),
  TRUSTED_PROXIES: Schema.optionalKey(Schema.fromJsonString(Schema.Array(Schema.String))),
  REGISTRATION_DEFAULT: Schema.optionalKey(Registration),
  MAX_BODY_BYTES: Schema.optionalKey(whole(1024, 104_857_600)),
  SHUTDOWN_SECONDS: Schema.optionalKey(whole(1, 600)),
  LOG_LEVEL: Schema.optionalKey(Schema.Literals(["debug", "info", "warning", "error"])),
  DATA_DIR: Schema.optionalKey(Schema.NonEmptyString)
})
type Variables = typeof Variables.Type

/** What is expected of each variable, for the line that says that one is broken. Never its value. */
const EXPECTED: Readonly<Record<keyof Variables, string>> = {
  APP_NAME: "a name",
  APP_ENV: "development, production or test",
  DEBUG: "true or false",
  HOST: "an address to listen on, such as 127.0.0.1 or 0.0.0.0",
  PORT: "a port, 0 to 65535",
  SECRET_KEY: "at least 32 random bytes, as text",
  ALGORITHM: "HS256, RS256, ES256 or EdDSA",
  JWT_PRIVATE_KEY_FILE: "the path of a PKCS #8 PEM file",
  ACCESS_TOKEN_EXPIRE_MINUTES: "a whole number of minutes, 1 to 525600",
  DATABASE_URL: "a URL such as postgres://user:password@host:5432/database",
  DATABASE_ADMIN_URL: "a URL such as postgres://user:password@host:5432/database",
  DATABASE_POOL_SIZE: "a whole number, 1 to 1000",
  ALLOWED_ORIGINS: 'a JSON list of origins, such as ["https://app.example.com"]',
  TRUSTED_PROXIES: 'a JSON list of addresses or networks, such as ["10.0.0.0/8"]',
  REGISTRATION_DEFAULT: "open or closed",
  MAX_BODY_BYTES: "a whole number of bytes, 1024 to 104857600",
  SHUTDOWN_SECONDS: "a whole number of seconds, 1 to 600",
  LOG_LEVEL: "debug, info, warning or error",
  DATA_DIR: "a directory"
}

/** The configuration, decoded once at the edge. */
export class Settings extends Context.Service<
  Settings,
  Variables & {
    readonly APP_ENV: "development" | "production" | "test"
    readonly PORT: number
    readonly HOST: string
    readonly DATA_DIR: string
  }
>()("@llm-saas/server/Settings") {
  static readonly layer = Layer.effect(
    Settings,
    Effect.suspend(() => Effect.map(readSettings(environment()), Settings.of))
  )
}

/** Variables of the process, then those of a `.env` file in the working directory that the process does not have. */
const environment = (): Record<string, string | undefined> => {
  const file = existsSync(".env") ? parseEnv(readFileSync(".env", "utf8")) : {}
  return { ...file, ...process.env }
}

/** Decodes the variables. An empty one counts as absent. Every broken one is named in a line of its own. */
export const readSettings = Effect.fnUntraced(function* (source: Readonly<Record<string, string | undefined>>) {
  const given = Object.fromEntries(
    Object.keys(Variables.fields).flatMap((name) => (source[name] ? [[name, source[name]]] : []))
  )
  const decoded = yield* Schema.decodeUnknownEffect(Variables)(given, { errors: "all" }).pipe(
    Effect.mapError((error) => new StartupFailed({ message: explain(error.issue) }))
  )
  const APP_ENV = decoded.APP_ENV ?? "development"
  if (APP_ENV === "production") yield* checkProduction(decoded)
  return {
    ...decoded,
    APP_ENV,
    PORT: decoded.PORT ?? 8000,
    HOST: decoded.HOST ?? "127.0.0.1",
    DATA_DIR: decoded.DATA_DIR ?? ".data"
  }
})

const formatIssues = SchemaIssue.makeFormatterStandardSchemaV1()

const explain = (issue: SchemaIssue.Issue): string => {
  const broken = new Set(formatIssues(issue).issues.map(({ path }) => String(path?.[0])))
  return Object.entries(EXPECTED)
    .filter(([name]) => broken.has(name))
    .map(([name, expected]) => `${name} is not valid: expected ${expected}`)
    .join("\n")
}

const SAMPLE = /change|secret|sample|example|default|password|your[-_ ]/iu

/** Why the key is too weak to sign with, or undefined. */
export const weakness = (key: string): string | undefined => {
  if (Buffer.byteLength(key) < 32) return "has fewer than 32 bytes"
  if (new Set(key).size < 10) return "repeats itself"
  return SAMPLE.test(key) ? "looks like a sample value" : undefined
}

const checkProduction = Effect.fnUntraced(function* ({ DATABASE_URL, DEBUG, SECRET_KEY }: Variables) {
  const fail = (message: string) => new StartupFailed({ message })
  if (SECRET_KEY === undefined)
    return yield* fail(
      "SECRET_KEY is required in production: expected at least 32 random bytes, such as `openssl rand -base64 48` prints"
    )
  const weak = weakness(Redacted.value(SECRET_KEY))
  if (weak !== undefined)
    return yield* fail(
      `SECRET_KEY ${weak}: expected at least 32 random bytes, such as \`openssl rand -base64 48\` prints`
    )
  if (DATABASE_URL === undefined) return yield* fail("DATABASE_URL is required in production")
  if (DEBUG === true) return yield* fail("DEBUG must not be on in production")
})
