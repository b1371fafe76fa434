import type { OperatorToken } from "@llm-saas/domain/Operator"
import { Unauthenticated, Unavailable } from "@llm-saas/domain/Refusal"
import { Context } from "effect"
import { HttpApiMiddleware, HttpApiSecurity, OpenApi } from "effect/http-api"
import { NotFound } from "./Failures.ts"

/** The operator's token that a request was made with. Every call of the database checks `hash` once more. */
export class Operator extends Context.Service<
  Operator,
  {
    /** SHA-256 of the whole token, in hexadecimal. */
    readonly hash: string
    readonly token: OperatorToken
  }
>()("@llm-saas/api/Operator") {}

const operator = HttpApiSecurity.bearer.pipe(
  HttpApiSecurity.annotateMerge(
    OpenApi.annotations({
      description:
        "A token of the operator of the installation (`op-…`), made by `npm run operator -- token create`, sent as `Authorization: Bearer …`. No user's token and no API key is one."
    })
  )
)

/** Operator's token to {@link Operator}. Where the operator's addresses are switched off, all of them are a 404. */
export class OperatorAuthorization extends HttpApiMiddleware.Service<
  OperatorAuthorization,
  {
    provides: Operator
  }
>()("@llm-saas/api/OperatorAuthorization", {
  security: { operator },
  error: [Unauthenticated, NotFound, Unavailable]
}) {}
