import { RequestId } from "@llm-saas/domain/RequestId"
import { Cause, Effect, Inspectable, Layer, Logger, type LogLevel, References } from "effect"
import { LogLines } from "./LogLines.ts"
import { LogOptions } from "./LogOptions.ts"
import { paint } from "./AnsiColour.ts"
import { redact } from "./Redaction.ts"

/** Writes everything logged with Effect's `log…` in the format of the request log, redacted. */
export const LogsLayer = Layer.unwrap(
  Effect.gen(function* () {
    const lines = yield* LogLines
    const options = yield* LogOptions
    const format = options.format === "json" ? asJson : asText(options.colour)
    return Layer.merge(
      Logger.layer([Logger.make((entry) => lines.write(format(entry)))]),
      Layer.succeed(References.MinimumLogLevel, options.level)
    )
  })
)

type Entry = Logger.Options<unknown>

const NAMES: Readonly<Record<LogLevel.LogLevel, string>> = {
  All: "trace",
  Trace: "trace",
  Debug: "debug",
  Info: "info",
  Warn: "warning",
  Error: "error",
  Fatal: "error",
  None: "info"
}

const messageOf = ({ message }: Entry): string =>
  redact(
    (Array.isArray(message) ? message : [message])
      .map((part) => (typeof part === "string" ? part : Inspectable.toStringUnknown(part, 0)))
      .join(" ")
  )

/** The failure's name, message and stack, redacted. Never its other fields: an SQL error's contain the statement's parameters. */
const causeOf = ({ cause }: Entry): string | undefined =>
  cause.reasons.length === 0 ? undefined : redact(Cause.pretty(cause))

const requestIdOf = ({ fiber }: Entry): string | undefined => {
  const id = fiber.getRef(RequestId)
  return id === "-" ? undefined : id
}

const annotationsOf = ({ fiber }: Entry): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fiber.getRef(References.CurrentLogAnnotations)).map(([key, value]) => [
      key,
      redact(Inspectable.toStringUnknown(value, 0))
    ])
  )

const asJson = (entry: Entry): string =>
  `${JSON.stringify({
    time: entry.date.toISOString(),
    level: NAMES[entry.logLevel],
    message: messageOf(entry),
    request_id: requestIdOf(entry),
    ...annotationsOf(entry),
    cause: causeOf(entry)
  })}\n`

const asText =
  (colour: boolean) =>
  (entry: Entry): string => {
    const level = NAMES[entry.logLevel]
    const id = requestIdOf(entry)
    const cause = causeOf(entry)
    const fields = [
      ...(id === undefined ? [] : [`request_id=${id}`]),
      ...Object.entries(annotationsOf(entry)).map(([key, value]) => `${key}=${value}`)
    ]
    return [
      `${paint(colour, "dim", entry.date.toISOString().slice(11, 23))} ${paint(colour, level, level.toUpperCase().padEnd(7))} ${messageOf(entry)}`,
      ...(fields.length === 0 ? [] : [` ${paint(colour, "dim", fields.join(" "))}`]),
      ...(cause === undefined ? [] : [`\n${cause}`]),
      "\n"
    ].join("")
  }
