import { type Actor } from "@llm-saas/domain/Actor"
import { Forbidden, TooManyRequests, Unauthenticated, Unavailable } from "@llm-saas/domain/Refusal"
import { Schema } from "effect"
import { RpcMiddleware } from "effect/rpc"
import { InternalError, InvalidRequest } from "./Failures.ts"

// What the calls of the RPC door have in common. Their payloads, answers and errors are those of the HTTP contract.

/**
 * Around every call: one that does not decode is an {@link InvalidRequest}, one too many on its connection {@link TooManyRequests}, and a
 * fault of ours an {@link InternalError} of which nothing is told but the request id. No defect reaches a client.
 */
export class CallBoundary extends RpcMiddleware.Service<CallBoundary>()("@llm-saas/api/CallBoundary", {
  error: Schema.Union([InvalidRequest, InternalError, TooManyRequests, Unavailable])
}) {}

/**
 * Bearer token to {@link Actor}, as `Authorization` does it for HTTP: from the call's own `authorization` header, or else from that of the
 * request which carries it. A WebSocket's calls may be different users'.
 */
export class CallAuthorization extends RpcMiddleware.Service<CallAuthorization, { provides: Actor }>()(
  "@llm-saas/api/CallAuthorization",
  { error: Schema.Union([Unauthenticated, Forbidden]), requiredForClient: true }
) {}

/** What may refuse every call by somebody: the token, the room, the database. */
export const refusals = [Unauthenticated, Forbidden, Unavailable] as const
