import { ChallengeEnded, InvalidSecondFactor, NewTotp, RecoveryCodes } from "@llm-saas/domain/Factor"
import { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { CsrfRefused } from "@llm-saas/domain/Session"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access } from "./Access.ts"
import { Token } from "./AccountsApi.ts"
import * as Examples from "./Examples.ts"
import { ChallengeText, exactlyOne, givenFactor } from "./FactorsApi.ts"

/** The second step of a login. */
export const SecondFactor = Schema.Struct({ challenge: ChallengeText, ...givenFactor })
  .check(exactlyOne("code", "recovery_code", "passkey"))
  .annotate({ identifier: "SecondFactor" })

/** The first factor of an account, set up while it logs in. */
export const EnrolTotp = Schema.Struct({ challenge: ChallengeText }).annotate({ identifier: "EnrolTotp" })

/** The login's own answer. */
export const LoginAnswer = Schema.Struct({
  ...Token.fields,
  recovery_codes: Schema.optionalKey(RecoveryCodes)
}).annotate({ identifier: "LoginAnswer" })

const answer = HttpApiEndpoint.post("answer", "/login/second-factor", {
  payload: SecondFactor,
  success: LoginAnswer,
  error: [InvalidSecondFactor, ChallengeEnded, CsrfRefused, TooManyRequests, Unavailable]
})
  .annotateMerge(Examples.answers(200, Examples.token, { challenge: "lc_c2VhbGVk", code: "492039" }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Log in: the second factor",
      description:
        "Ends a login that was answered with 401 `second_factor_required`, and answers as that login would have. A challenge is good for five minutes, five tries and one success. Each code is taken once; of wrong codes an account may have ten, and one more each 90 seconds. A `passkey` is what `navigator.credentials.get` made of the `passkey` options in the 401. Where the factor was set up with the challenge, `recovery_codes` are shown, this once."
    })
  )

const enrol = HttpApiEndpoint.post("enrol", "/login/second-factor/totp", {
  payload: EnrolTotp,
  success: NewTotp.pipe(HttpApiSchema.status(201)),
  error: [ChallengeEnded, Unavailable]
})
  .annotateMerge(Examples.answers(201, Examples.newTotp, { challenge: "lc_c2VhbGVk" }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Log in: set up one-time codes",
      description:
        "For a login whose account must have a second factor and has none: 401 `second_factor_required` with empty `methods`. Send the authenticator's first code to `POST /login/second-factor`."
    })
  )

/** The second step of a login. */
export class SecondFactorApi extends HttpApiGroup.make("secondFactor")
  .add(answer, enrol)
  .annotateEndpoints(Access, "public")
  .annotateMerge(
    OpenApi.annotations({ title: "Second step of a login", description: "Where an account has a second factor." })
  ) {}
