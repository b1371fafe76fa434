import { type StreamFormat } from "@llm-saas/api/StreamEvent"
import type { GenerationFailed } from "@llm-saas/domain/Generation"
import type { Asked } from "@llm-saas/engine/generations/Generations"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { type Cause, Clock, Effect, Exit, type Scope } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import type { Exchange } from "../http/Exchange.ts"
import { explain } from "../http/ErrorText.ts"
import { exchangeOf } from "../http/HttpEdge.ts"
import { PROBLEM, refusal, refusalBody, type RefusalDetails, statusOf } from "../http/Refusals.ts"
import { openStream } from "../metrics/OpenStreams.ts"
import { EventWriter, type Sent } from "./EventWriter.ts"
import { beyond, type Position } from "./LastEvent.ts"
import { type LateFailure, nativeForm, type StreamForm } from "./Wire.ts"

/** An answer, and where its reader continues. */
export interface Place {
  readonly asked: Asked
  /** The position its reader names, if any; otherwise it begins with the first token. */
  readonly after: Position | undefined
  /** Whether the same request would ask the model again if it came back without an event's id. */
  readonly asksAgain: boolean
}

/** Milliseconds in which a failure is still answered with its status. After them the stream begins, with or without a token. */
const PATIENCE_MS = 500

/**
 * Streams the answer of `place`. Until something was sent, or for half a second, a failure is answered with its status; from then on it
 * is an event. The scope is the request: when the reader leaves, it closes and the reading ends.
 */
export const stream = <E, R>(
  form: StreamForm,
  place: Effect.Effect<Place, E, R>
): Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  E | GenerationFailed,
  R | HttpServerRequest.HttpServerRequest | Scope.Scope
> =>
  Effect.gen(function* () {
    const exchange = exchangeOf(yield* HttpServerRequest.HttpServerRequest)
    if (exchange === undefined) return yield* Effect.die(new Error("streams need their own listener"))
    yield* openStream
    const clock = yield* Clock.Clock
    const writer = new EventWriter(exchange, form, () => monotonicMillis(clock))
    yield* Effect.forkScoped(tending(writer))
    let asked: Asked | undefined = undefined
    const exit = yield* Effect.exit(
      Effect.flatMap(place, (found) => {
        asked = found.asked
        return sending(writer, found)
      })
    )
    if (Exit.isSuccess(exit)) {
      // The reader has the last event of all, and reconnects only because it takes every end for a cut: a 204 tells an `EventSource` to
      // stop (https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model).
      if (exit.value === "all" && writer.nothing()) return HttpServerResponse.empty({ status: 204 })
      if (typeof exit.value === "object") {
        if (!writer.started) return refusal("invalid_request", exit.value)
        writer.fail({
          problem: refusalBody("invalid_request", exit.value),
          status: statusOf("invalid_request"),
          requestId: exchange.id
        })
      }
    } else {
      if (!writer.started && (form.detailed === undefined || asked === undefined))
        return yield* Effect.failCause(exit.cause)
      const failure = yield* problemOf(exit.cause, exchange)
      const problem =
        asked === undefined ? failure.problem : (form.detailed?.(failure.problem, asked) ?? failure.problem)
      if (!writer.started && form.reads !== true)
        return HttpServerResponse.text(problem, { status: failure.status, contentType: PROBLEM })
      writer.fail({ ...failure, problem })
    }
    yield* over(exchange)
    return HttpServerResponse.empty()
  })

/** Begins the stream after PATIENCE_MS, sends keep-alives, and cuts a reader that takes nothing. */
const tending = (writer: EventWriter) =>
  Effect.sleep(PATIENCE_MS).pipe(
    Effect.andThen(Effect.sync(() => writer.open())),
    Effect.andThen(Effect.forever(Effect.suspend(() => Effect.sleep(writer.tick()))))
  )

/**
 * Completes when everything is sent and the answer is whole; with `all` if the reader already had the last event, or with what is wrong
 * with the position it named if the answer ended before that.
 */
const sending = (
  writer: EventWriter,
  { after, asked, asksAgain }: Place
): Effect.Effect<"all" | RefusalDetails | undefined, GenerationFailed> =>
  Effect.callback((resume) => {
    const sent: Sent = (unsent) => {
      if (unsent === "beyond") return resume(Effect.succeed({ errors: [beyond(asked.tokenLog, after?.path ?? [])] }))
      resume(unsent === undefined || unsent === "all" ? Effect.succeed(unsent) : Effect.fail(unsent))
    }
    writer.follow(asked, after?.seq ?? 0, sent, asksAgain)
    return Effect.sync(() => writer.stop())
  })

const problemOf = (cause: Cause.Cause<unknown>, { id }: Exchange): Effect.Effect<LateFailure> => {
  const failed = cause.reasons.find((reason) => reason._tag === "Fail")
  return Effect.map(explain(failed?.error, cause), ({ body, status }) => ({
    problem: body._tag === "Uint8Array" ? (body.text ?? "{}") : "{}",
    status,
    requestId: id
  }))
}

/** Waits until the last byte is sent or the reader has gone. */
const over = (exchange: Exchange): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (exchange.closed) return resume(Effect.void)
    const closed = () => resume(Effect.void)
    exchange.once("close", closed)
    return Effect.sync(() => void exchange.off("close", closed))
  })

const EVENT_STREAM = /^\s*text\/event-stream\s*(?:;|$)/iu
const JSON_PARAMETER = /;\s*format\s*=\s*"?json"?\s*(?:;|$)/iu

/** Our own streams, in the format that a client asks for. */
export const formOf = (query: StreamFormat | undefined, accept: string | undefined): StreamForm =>
  nativeForm(formatOf(query, accept))

/** The format a client asks for: `format` in the query, else a parameter of the accepted media type, else text. */
export const formatOf = (query: StreamFormat | undefined, accept: string | undefined): StreamFormat => {
  if (query !== undefined) return query
  const json = accept?.split(",").some((range) => EVENT_STREAM.test(range) && JSON_PARAMETER.test(range))
  return json === true ? "json" : "text"
}
