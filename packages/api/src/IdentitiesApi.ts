import { ProofRequired } from "@llm-saas/domain/Factor"
import { LoginProviderName } from "@llm-saas/domain/LoginProvider"
import { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { CsrfRefused } from "@llm-saas/domain/Session"
import { ReturnPath, SsoNotFound, SsoUnavailable } from "@llm-saas/domain/SingleSignOn"
import { IdentityNotFound, LastLogin, SsoIdentity, SsoIdentityId } from "@llm-saas/domain/SsoIdentity"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import * as Examples from "./Examples.ts"
import { proofHeader } from "./Proof.ts"

export const IdentityList = Schema.Struct({ data: Schema.Array(SsoIdentity) }).annotate({ identifier: "IdentityList" })

const list = HttpApiEndpoint.get("list", "/me/identities", { success: IdentityList, error: Unavailable })
  .annotateMerge(Examples.answers(200, { data: [Examples.identity] }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Who logs in to my account at a provider",
      description:
        "People at identity providers whose login leads to this account. A login makes one: see `docs/single-sign-on.md`."
    })
  )

/** A provider of the installation, and where the browser goes when the person there is linked: a path of this server, default `/`. */
export const LinkIdentity = Schema.Struct({
  provider: LoginProviderName,
  return_to: Schema.optionalKey(ReturnPath)
}).annotate({ identifier: "LinkIdentity" })

/** Where the browser goes to log in. */
export const IdentityLink = Schema.Struct({ location: Schema.String }).annotate({ identifier: "IdentityLink" })

const link = HttpApiEndpoint.post("link", "/me/identities", {
  headers: proofHeader,
  payload: LinkIdentity,
  success: IdentityLink,
  error: [SsoNotFound, SsoUnavailable, ProofRequired, CsrfRefused, TooManyRequests, Unavailable]
})
  .annotateMerge(
    Examples.answers(
      200,
      { location: "https://accounts.google.com/o/oauth2/v2/auth?client_id=…" },
      { provider: "google", return_to: "/console/" }
    )
  )
  .annotateMerge(
    OpenApi.annotations({
      summary: "Link a person at a provider",
      description:
        "Of a provider of the installation (`GET /sso/providers`). For a page of this server: the header `X-CSRF: 1` is wanted, the answer has a cookie, and the browser goes to `location`, logs in there, and comes back to `return_to`. From then on that person logs in to this account by `/login/with/{name}`. Its address is told by mail. A tenant that requires its own single sign-on has no such logins."
    })
  )

const remove = HttpApiEndpoint.delete("remove", "/me/identities/:id", {
  headers: proofHeader,
  params: { id: SsoIdentityId },
  success: HttpApiSchema.NoContent,
  error: [IdentityNotFound, LastLogin, ProofRequired, Unavailable]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Unlink a person at a provider",
    description:
      "Their login does not lead to this account any more, unless it links them again by the account's verified address. The last way to log in stays (409 `last_login`). Sessions go on: `DELETE /me/sessions` ends them. An account with a password or a second factor proves it for this."
  })
)

/** The people at identity providers who log in to an account. */
export class IdentitiesApi extends HttpApiGroup.make("identities")
  .add(list, link, remove)
  .middleware(Authorization)
  .annotateEndpoints(Access, "user")
  .annotateMerge(
    OpenApi.annotations({ title: "Identities", description: "Who logs in to an account by single sign-on." })
  ) {}
