import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import type { Standing } from "@llm-saas/domain/LimitReached"
import { CurrentAnswerCookie } from "../auth/SessionCookie.ts"
import { CurrentReplay } from "@llm-saas/domain/Replay"
import { RequestId } from "@llm-saas/domain/RequestId"
import { ByteSize, type Cause, Context, Effect, type Types } from "effect"
import {
  HttpBody,
  HttpIncomingMessage,
  HttpRouter,
  HttpServerError,
  HttpServerRequest,
  HttpServerResponse
} from "effect/http"
import { HttpApiError } from "effect/http-api"
import { hasCredential } from "../auth/Authorization.ts"
import { Exchange } from "./Exchange.ts"
import { explain } from "./ErrorText.ts"
import { PAGE } from "./HtmlPage.ts"
import { HttpOptions } from "./HttpOptions.ts"
import { preflight } from "./Preflight.ts"
import { unknownParameters } from "./Parameters.ts"
import { standingOf } from "./RateLimits.ts"
import { PROBLEM, refusal, refusalBody, refusalFor, RETRY_AFTER_SECONDS } from "./Refusals.ts"
import { CurrentRequest } from "../logging/RequestRecord.ts"
import type { RouteTable } from "./RouteTable.ts"
import { checkTarget } from "./Target.ts"
import { told } from "./Telling.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/**
 * Wraps every route: refuses what no handler should see, gives the handler its request id, and turns its result into an answer and every
 * error into one of its door's form (see `Door`), with the request id. Headers and the log line are the {@link Exchange}'s.
 */
export const httpEdgeLayer = (routes: RouteTable) =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const { maxBodyBytes, maxV1BodyBytes } = yield* HttpOptions
      const limits = { native: ByteSize.fromInputUnsafe(maxBodyBytes), v1: ByteSize.fromInputUnsafe(maxV1BodyBytes) }
      yield* router.addGlobalMiddleware((handler) => around(handler, routes, limits))
    })
  )

/** The bytes that a body may have. */
interface BodyLimits {
  readonly native: ByteSize.ByteSize
  readonly v1: ByteSize.ByteSize
}

const around = (
  handler: Effect.Effect<Response, Types.unhandled>,
  routes: RouteTable,
  limits: BodyLimits
): Effect.Effect<Response, Types.unhandled, HttpServerRequest.HttpServerRequest> =>
  Effect.withFiber((fiber) => {
    const request = Context.getUnsafe(fiber.context, HttpServerRequest.HttpServerRequest)
    const exchange = exchangeOf(request)
    if (exchange === undefined) return Effect.die(new Error("the edge needs its own listener"))
    const limit = exchange.door === "native" && !isQuestion(request) ? limits.native : limits.v1
    const refused = refuse(request, exchange, routes, limit)
    if (refused !== undefined) {
      exchange.route = routes.find(request.url)?.path ?? "-"
      return Effect.succeed(asError(refused, request, exchange))
    }
    exchange.serving = true
    // The server restores the fiber's context when the request is over.
    fiber.setContext(
      Context.add(Context.add(fiber.context, RequestId, exchange.id), CurrentRequest, exchange).pipe(
        Context.add(CurrentReplay, exchange),
        Context.add(CurrentAnswerCookie, exchange),
        Context.add(HttpIncomingMessage.MaxBodySize, limit)
      )
    )
    const answered = (response: Response) => {
      const route = Context.getOrUndefined(fiber.context, HttpRouter.RouteContext)?.route.path
      exchange.served(route ?? routes.find(request.url)?.path)
      return Effect.succeed(response.status < 400 ? response : asError(response, request, exchange))
    }
    return Effect.matchCauseEffect(handler, {
      onSuccess: answered,
      onFailure: (cause) => Effect.flatMap(translate(cause, request, routes), answered)
    })
  })

/** Whether it may have attachments, which are read once the caller is known. */
const isQuestion = ({ method, url }: Request): boolean => method === "POST" && QUESTIONS.test(url)

const QUESTIONS = /^\/messages(?:\/stream)?(?:\?|$)/u

/** The {@link Exchange} of a request; undefined if the listener is not ours. */
export const exchangeOf = (request: Request): Exchange | undefined => {
  const response = NodeHttpServerRequest.toServerResponse(request)
  return response instanceof Exchange ? response : undefined
}

/** Tells the client of a request what is left of its limits. */
export const noting =
  (request: Request) =>
  ({ standing }: { readonly standing?: Standing | undefined }): Effect.Effect<void> =>
    Effect.sync(() => {
      const exchange = exchangeOf(request)
      if (exchange !== undefined && standing !== undefined) exchange.standing = standing
    })

/** The refusal of a request that needs no handler, or undefined. */
const refuse = (
  request: Request,
  exchange: Exchange,
  routes: RouteTable,
  limit: ByteSize.ByteSize
): Response | undefined => {
  if (!exchange.hasOneHost)
    return refusal("invalid_request", { errors: [{ path: ["headers", "host"], message: "Expected it once" }] })
  const bad = checkTarget(request.url)
  if (bad !== undefined) return refusal(bad.code, bad.details)
  if (request.method === "OPTIONS") return preflight(request, exchange, routes)
  // The most frequent requests pass only the router that serves them.
  if (request.method === "GET" && !request.url.includes("?")) return undefined
  const route = routes.find(request.url)
  if (route === undefined) return undefined
  // Otherwise `DELETE /messages/stream` would be the message named `stream`.
  if (!route.methods.has(request.method)) return refusal("method_not_allowed", {}, { allow: route.allow })
  const known = route.parameters.get(request.method)
  const unknown = known === undefined ? undefined : unknownParameters(request.url, known)
  if (unknown !== undefined) return refusal(unknown.code, unknown.details)
  return Number(request.headers["content-length"] ?? 0) > Number(limit) ? tooLarge(request) : undefined
}

/**
 * Refused by its declared length, or once it has sent that much. The connection ends, and further bytes are discarded for a moment:
 * closing on unread bytes would reset it, and the answer would be lost.
 */
const tooLarge = (request: Request): Response => {
  if (request.headers["expect"] === undefined) NodeHttpServerRequest.toIncomingMessage(request).resume()
  return refusal("payload_too_large", {}, { connection: "close" })
}

/** The answer to a failure. */
const translate = (cause: Cause.Cause<unknown>, request: Request, routes: RouteTable): Effect.Effect<Response> => {
  for (const reason of cause.reasons) {
    if (reason._tag === "Interrupt") continue
    const error = reason._tag === "Fail" ? reason.error : reason.defect
    if (HttpServerResponse.isHttpServerResponse(error)) return Effect.succeed(error)
    if (HttpServerError.isHttpServerError(error)) {
      const known = translateServerError(error.reason, request, routes)
      if (known !== undefined) return Effect.succeed(known)
    } else if (HttpApiError.HttpApiPayloadTooLarge.is(error)) return Effect.succeed(tooLarge(request))
    return explain(error, cause)
  }
  // Only interruption is left: the client has gone and reads no answer, or we stop.
  return Effect.succeed(refusal("unavailable", {}, { connection: "close" }))
}

const translateServerError = (
  reason: HttpServerError.HttpServerErrorReason,
  request: Request,
  routes: RouteTable
): Response | undefined => {
  switch (reason._tag) {
    case "RouteNotFound": {
      const route = routes.find(request.url)
      return route === undefined ? refusal("not_found") : refusal("method_not_allowed", {}, { allow: route.allow })
    }
    case "RequestParseError":
      return reason.reason === "BodyTooLarge"
        ? tooLarge(request)
        : refusal("malformed_request", {}, { connection: "close" })
    case "InternalError":
    case "ResponseError":
      return undefined
  }
}

/** Gives every error the form of its door, the request id, and the headers its status requires. */
const asError = (response: Response, request: Request, exchange: Exchange): Response => {
  const { body, status } = response
  if (status < 400) return response
  // Where a person reads it: single sign-on.
  if (body._tag === "Uint8Array" && body.contentType === PAGE) return response
  const own = body._tag === "Uint8Array" && body.contentType === PROBLEM ? body.text : undefined
  const text = own ?? refusalBody(refusalFor(status))
  const error = told(exchange.door, status, text, exchange.id)
  exchange.standing ??= standingOf(text)
  const problem = response.pipe(
    HttpServerResponse.setStatus(error.status, undefined),
    HttpServerResponse.setHeaders(error.headers),
    HttpServerResponse.setBody(HttpBody.text(error.body, error.contentType))
  )
  switch (status) {
    case 401:
      // RFC 6750 §3: the reason is told only to clients that sent a token or a key.
      return HttpServerResponse.setHeader(
        problem,
        "www-authenticate",
        hasCredential(request.headers) ? 'Bearer error="invalid_token"' : "Bearer"
      )
    case 429:
    case 503:
      // A budget that is gone comes back with its next period, or never: `until` says when.
      if (!RETRY.test(text) && text.includes('"budget_exhausted"')) return problem
      return HttpServerResponse.setHeader(problem, "retry-after", RETRY.exec(text)?.[1] ?? `${RETRY_AFTER_SECONDS}`)
    case 409: {
      const seconds = RETRY.exec(text)?.[1]
      return seconds === undefined ? problem : HttpServerResponse.setHeader(problem, "retry-after", seconds)
    }
    default:
      return problem
  }
}

const RETRY = /"retry_after":(\d+)/u
