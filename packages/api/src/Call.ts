import { type Actor } from "@llm-saas/domain/Actor"
import { Forbidden, TooManyRequests, Unauthenticated, Unavailable } from "@llm-saas/domain/Refusal"
import { InsufficientScope } from "@llm-saas/domain/Scope"
import { Schema } from "effect"
import { RpcMiddleware } from "effect/rpc"
import { InternalError, InvalidRequest } from "./Failures.ts"

// Middleware and errors of all RPC calls. Their payloads, answers and errors are those of the HTTP API.

/**
 * Middleware of every call: a call that does not decode fails with {@link InvalidRequest}, one too many on its connection with
 * {@link TooManyRequests}, and a defect with {@link InternalError}, which shows only the request id. No defect reaches a client.
 */
export class CallBoundary extends RpcMiddleware.Service<CallBoundary>()("@llm-saas/api/CallBoundary", {
  error: Schema.Union([InvalidRequest, InternalError, TooManyRequests, Unavailable])
}) {}

/**
 * Bearer token or API key to {@link Actor}, as `Authorization` does for HTTP: from the call's own `authorization` header, or else from that of its
 * HTTP request. The calls on one WebSocket may belong to different users.
 */
export class CallAuthorization extends RpcMiddleware.Service<CallAuthorization, { provides: Actor }>()(
  "@llm-saas/api/CallAuthorization",
  {
    error: Schema.Union([Unauthenticated, Forbidden, InsufficientScope, TooManyRequests, Unavailable]),
    requiredForClient: true
  }
) {}

/** Errors of every call with a token or a key: by either, by the room, by the database. */
export const refusals = [Unauthenticated, Forbidden, InsufficientScope, Unavailable] as const
