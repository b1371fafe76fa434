import { Access } from "@llm-saas/api/Access"
import { CallAuthorization, CallBoundary } from "@llm-saas/api/Call"
import { InternalError } from "@llm-saas/api/Failures"
import { RequestId } from "@llm-saas/domain/RequestId"
import { Cause, Context, Effect, Layer } from "effect"
import { authorize, bearerOf, verifiers } from "../auth/Authorization.ts"
import { CurrentRequest } from "../logging/RequestRecord.ts"
import { CurrentOpenCalls, CurrentSender } from "./OpenCalls.ts"

/** Serves every call under its own id, with a record for its log line; a defect is logged, once, and goes no further. */
export const CallBoundaryLayer = Layer.succeed(CallBoundary, (handler, { requestId }) =>
  Effect.withFiber((fiber) => {
    const call = fiber.getRef(CurrentOpenCalls)?.get(requestId)
    if (call === undefined) return Effect.die(new Error("a call needs its connection"))
    return handler.pipe(
      Effect.catchCauseIf(Cause.hasDies, (cause) =>
        Effect.andThen(Effect.logError("a call failed for a reason of ours", cause), Effect.fail(new InternalError({})))
      ),
      Effect.provideContext(Context.make(RequestId, call.id).pipe(Context.add(CurrentRequest, call)))
    )
  })
)

/** Verifies a call's token or key by the same rules as HTTP. */
export const CallAuthorizationLayer = Layer.effect(
  CallAuthorization,
  Effect.map(verifiers, (verifiers) =>
    CallAuthorization.of((handler, { headers, rpc }) =>
      Effect.flatMap(CurrentSender, ({ remoteAddress }) =>
        authorize(
          verifiers,
          bearerOf(headers),
          { name: rpc._tag, access: Context.getOrUndefined(rpc.annotations, Access) },
          { headers, remoteAddress },
          handler
        )
      )
    )
  )
)
