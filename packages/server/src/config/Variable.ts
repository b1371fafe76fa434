import * as DatabaseUrl from "@llm-saas/database/logins/DatabaseUrl"
import { prefixTrouble } from "@llm-saas/database/logins/Roles"
import { line } from "@llm-saas/domain/Text"
import { senderOf } from "@llm-saas/mail/Message"
import { serverOf } from "@llm-saas/mail/Smtp"
import { destinationOf } from "@llm-saas/mlflow/Destination"
import { Config, ConfigProvider, Effect, type Redacted, Result, Schema, SchemaGetter, Struct } from "effect"
import { isIP } from "node:net"
import { isNetwork } from "../http/ClientAddress.ts"
import type { BrokenVariable } from "./SettingsInvalid.ts"

// Schemas of variables: accepted forms, and the text of a refusal.

/** Decimal digits only: `0x10`, `1e3` and `+5` are refused. */
export const whole = (minimum: number, maximum: number) =>
  Schema.String.check(Schema.isPattern(/^\d{1,9}$/u)).pipe(
    Schema.decodeTo(Schema.Int.check(Schema.isBetween({ minimum, maximum })), {
      decode: SchemaGetter.transform((text) => Number(text)),
      encode: SchemaGetter.transform((number) => String(number))
    })
  )

const FLAG = { true: true, false: false, "1": true, "0": false, yes: true, no: false, on: true, off: false }

/** In any case, as users type it. */
const lowerCase = Schema.String.pipe(
  Schema.decodeTo(Schema.String, {
    decode: SchemaGetter.transform((text) => text.toLowerCase()),
    encode: SchemaGetter.passthrough()
  })
)

export const Flag = lowerCase.pipe(
  Schema.decodeTo(Schema.Literals(Struct.keys(FLAG))),
  Schema.decodeTo(Schema.Boolean, {
    decode: SchemaGetter.transform((word) => FLAG[word]),
    encode: SchemaGetter.transform((flag) => (flag ? ("true" as const) : ("false" as const)))
  })
)

export const LogLevel = lowerCase.pipe(
  Schema.decodeTo(Schema.Literals(["debug", "info", "warn", "warning", "error"])),
  Schema.decodeTo(Schema.Literals(["debug", "info", "warning", "error"]), {
    decode: SchemaGetter.transform((level) => (level === "warn" ? "warning" : level)),
    encode: SchemaGetter.passthroughSubtype()
  })
)

/** An address or a host name (RFC 1123 §2.1). Whether it belongs to this machine is known when the server listens. */
export const ListenHost = Schema.String.check(
  Schema.makeFilter((text) => isIP(text) !== 0 || (text.length <= 253 && HOST_NAME.test(text)))
)
const HOST_NAME = /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/iu

/** An origin as browsers send it: no path, no trailing slash, no default port (RFC 6454 §6.2). */
export const Origin = Schema.String.check(
  Schema.makeFilter((text) => /^https?:/u.test(text) && URL.parse(text)?.origin === text)
)
export const Network = Schema.String.check(Schema.makeFilter(isNetwork))

/** Must hold no secret, since it is logged; paths are appended to it. */
export const BaseUrl = Schema.String.check(
  Schema.makeFilter(
    (text) => {
      const url = /^https?:\/\//u.test(text) ? URL.parse(text) : null
      return url !== null && url.username === "" && url.password === "" && url.search === "" && url.hash === ""
    },
    { expected: "a URL such as http://localhost:11434/v1, without a password or a question mark" }
  )
)

/** Characters allowed in a header. */
export const Key = Schema.String.check(Schema.isPattern(/^[\x21-\x7e]{1,1000}$/u)).pipe(Schema.RedactedFromValue)

export const ENCRYPTION = "32 bytes in base64 or hex, such as `openssl rand -base64 32` prints"

/** 32 bytes: in hex, or in base64 of either alphabet, padded or not. */
const isEncryptionKey = (text: string): boolean =>
  /^[0-9a-f]{64}$/iu.test(text) || (/^[\w+/-]{43}=?$/u.test(text) && Buffer.from(text, "base64").length === 32)

export const EncryptionKey = Schema.String.check(Schema.makeFilter(isEncryptionKey)).pipe(Schema.RedactedFromValue)

export const EncryptionKeys = Schema.String.pipe(
  Schema.decodeTo(Schema.Array(Schema.String.check(Schema.makeFilter(isEncryptionKey))), {
    decode: SchemaGetter.transform((text) => text.split(",").map((key) => key.trim())),
    encode: SchemaGetter.transform((keys) => keys.join(","))
  }),
  Schema.decodeTo(Schema.Array(Schema.RedactedFromValue(Schema.String)))
)

/** Decimals as people write them: `0.7`. */
export const decimal = (maximum: number) =>
  Schema.String.check(Schema.isPattern(/^\d{1,9}(?:\.\d{1,9})?$/u)).pipe(
    Schema.decodeTo(Schema.Finite.check(Schema.isLessThanOrEqualTo(maximum)), {
      decode: SchemaGetter.transform((text) => Number(text)),
      encode: SchemaGetter.transform((number) => String(number))
    })
  )

/** A temperature, or a word for none. */
const Temperature = Schema.Union([Schema.Literal("none"), decimal(2)])

/** A proxy as other programs read it: http without a scheme. Only HTTP proxies work; the URL may contain a login. */
const ProxyUrl = Schema.String.pipe(
  Schema.decodeTo(
    Schema.String.check(
      Schema.makeFilter((text) => {
        const url = /^https?:\/\//iu.test(text) ? URL.parse(text) : null
        return url !== null && url.hostname !== "" && (url.pathname === "" || url.pathname === "/")
      })
    ),
    {
      decode: SchemaGetter.transform((text) => (text.includes("://") ? text : `http://${text}`)),
      encode: SchemaGetter.passthrough()
    }
  ),
  Schema.RedactedFromValue
)

/** The URL of a mail server. */
export const SmtpUrl = Schema.String.check(Schema.makeFilter((text) => serverOf(text) !== undefined)).pipe(
  Schema.RedactedFromValue
)

/** An address with or without a name: `Acme <no-reply@acme.example>`. */
export const MailFrom = line(300).check(Schema.makeFilter((text) => senderOf(text) !== undefined))

/** The address of a name server, with or without a port. */
export const DnsServer = Schema.String.check(
  Schema.makeFilter((text) => isIP(text.replace(/^\[?([^\]]*?)\]?(?::\d{1,5})?$/u, "$1")) !== 0 || isIP(text) !== 0)
)

/** The origin that people reach the product by, with a path where there is one, and without a slash at the end. */
export const PublicUrl = BaseUrl.check(Schema.makeFilter((text) => !text.endsWith("/")))

export const TrackingUri = Schema.String.check(Schema.makeFilter((text) => destinationOf(text) !== undefined))

export const Text = line(1000)

/** A variable read through a schema; `expected` completes the message for a broken one. */
export const setting = <A, const B extends A | undefined>(
  variable: string,
  expected: string,
  schema: Schema.ConstraintCodec<A, unknown>,
  absent: B
): Effect.Effect<A | B, BrokenVariable> =>
  Config.schema(schema, variable).pipe(
    Config.withDefault(absent),
    Effect.mapError((): BrokenVariable => ({ variable, expected }))
  )

/** A database's URL, read the same way by every part of the program; the failure says what is wrong and repeats nothing of the URL. */
export const databaseUrl = (variable: string): Effect.Effect<Redacted.Redacted | undefined, BrokenVariable> =>
  setting(variable, POSTGRES, Schema.String, undefined).pipe(
    Effect.flatMap((text) =>
      text === undefined
        ? Effect.undefined
        : Effect.fromResult(
            Result.mapBoth(DatabaseUrl.parse(text), {
              onFailure: ({ reason }): BrokenVariable => ({ variable, expected: `${POSTGRES} (${reason})` }),
              onSuccess: DatabaseUrl.format
            })
          )
    )
  )

export const POSTGRES = "a URL such as postgres://user:password@host:5432/database"

/** Prefix of an installation's role names. */
export const RolePrefix = Schema.String.check(Schema.makeFilter((text) => prefixTrouble(text) === undefined))

export const amount = (variable: string, unit: string, minimum: number, maximum: number, absent: number) =>
  setting(variable, `a whole number of ${unit}, ${minimum} to ${maximum}`, whole(minimum, maximum), absent)

/**
 * The temperature to ask for; undefined: the model's default. The one variable for which empty is a value. Where the environment is read
 * directly, an empty variable is absent, and shows only as a name of its group.
 */
export const temperature = (variable: string, absent: number): Effect.Effect<number | undefined, BrokenVariable> =>
  Effect.gen(function* () {
    const source = yield* ConfigProvider.ConfigProvider
    const load = (name: string) => Effect.orDie(source.load([name]))
    const own = yield* load(variable)
    const cut = variable.lastIndexOf("_")
    const group = own === undefined ? yield* load(variable.slice(0, cut)) : undefined
    const names = group?._tag === "Record" ? group.keys : new Set<string>()
    if (own?.value === "" || (own === undefined && names.has(variable.slice(cut + 1)))) return undefined
    const value = yield* setting(variable, "a number from 0 to 2, such as 0.7, or empty", Temperature, absent)
    return value === "none" ? undefined : value
  })

/** A variable that many programs read, some in lower case: that spelling counts if the other is not set. */
const anyCase = <A, const B extends A | undefined>(
  variable: string,
  expected: string,
  schema: Schema.ConstraintCodec<A, unknown>,
  absent: B
) =>
  Effect.gen(function* () {
    const source = yield* ConfigProvider.ConfigProvider
    const given = yield* Effect.orDie(source.load([variable]))
    return yield* setting(given?.value === undefined ? variable.toLowerCase() : variable, expected, schema, absent)
  }).pipe(Effect.mapError(({ expected }): BrokenVariable => ({ variable, expected })))

export const proxy = (variable: string) =>
  anyCase(variable, "the URL of an HTTP proxy, such as http://proxy.example.com:3128", ProxyUrl, undefined)

export const noProxy = (variable: string) =>
  anyCase(variable, "names separated by commas, such as .example.com,10.0.0.1", Text, undefined)
