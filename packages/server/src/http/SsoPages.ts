import { problem, type ProblemCode, PROBLEMS } from "@llm-saas/domain/Problem"
import type { SecondFactorRequired } from "@llm-saas/domain/Factor"
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import type { Sender } from "../config/ClientNetworks.ts"
import { asPage, escape } from "./HtmlPage.ts"

/**
 * Whether a page of another site sent the browser here. It must not log its reader in: a tenant's provider may log anybody in as its own
 * person, whose session would then be the reader's, without a word. Programs and typed addresses say nothing, or `none` (Fetch Metadata, W3C).
 */
export const isLedHere = ({ headers }: Sender): boolean =>
  ["cross-site", "same-site"].includes(headers["sec-fetch-site"] ?? "none")

/** What a refusal says of itself: see `Problem`. */
interface Told {
  readonly code: ProblemCode
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly retry_after?: number | undefined
  readonly tenants?: ReadonlyArray<{ readonly name: string; readonly login_url: string }> | undefined
}

/** For a browser a refusal is a page, since a person reads it there; programs get the problem as ever. */
export const forPeople =
  ({ headers }: Sender) =>
  <A, E extends Told, R>(
    work: Effect.Effect<A, E, R>
  ): Effect.Effect<A | HttpServerResponse.HttpServerResponse, E, R> =>
    /\btext\/html\b/u.test(headers["accept"] ?? "")
      ? Effect.catch(work, (told) => Effect.succeed(refusalPage(told)))
      : work

const refusalPage = (told: Told): HttpServerResponse.HttpServerResponse => {
  const { code, detail, retry_after, status, tenants, title } = told
  const { help } = PROBLEMS[code]
  const shown =
    tenants === undefined
      ? asPage({
          title,
          body: `<h1>${escape(title)}</h1><p>${escape(detail)}</p><p>${escape(help)}</p><p>Status ${status}, <a href="${problem(code).type}"><code>${code}</code></a></p>`
        })
      : choicePage(tenants)
  const page = HttpServerResponse.setStatus(shown, status)
  return retry_after === undefined ? page : HttpServerResponse.setHeader(page, "retry-after", String(retry_after))
}

/** Asks which account is meant: an address leads there by another login at the provider, which knows the person already. */
const choicePage = (tenants: NonNullable<Told["tenants"]>): HttpServerResponse.HttpServerResponse =>
  asPage({
    title: "Choose an account",
    body: `<h1>Choose an account</h1><p>You are logged in at the identity provider. Where do you want to go?</p><ul>${tenants
      .map(({ login_url, name }) => `<li><a href="${escape(login_url)}">${escape(name)}</a></li>`)
      .join("")}</ul>`
  })

/** Asks before a login that another site began: a link on our own page is the reader's wish. */
export const question = (slug: string, target: string): HttpServerResponse.HttpServerResponse =>
  asPage({
    title: "Log in",
    body: `<h1>Log in at ${escape(slug)}?</h1><p>Another site sent you here. You will be logged in as the person whom the identity provider of <strong>${escape(slug)}</strong> names.</p><p><a href="${escape(target)}">Log in at ${escape(slug)}</a></p>`
  })

/** Sends the browser on. Nothing of it is kept by a cache. */
export const sendOn = (
  status: 302 | 303,
  { cookie, location }: { readonly cookie: string; readonly location: string }
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.succeed(
    HttpServerResponse.empty({ status, headers: { location, "set-cookie": cookie, "cache-control": "no-store" } })
  )

/** The page that the browser goes to is told the challenge of a second factor in the fragment: no server and no log sees that. */
export const withChallenge = (
  { cookie, location }: { readonly cookie: string; readonly location: string },
  { challenge, methods, passkey }: Pick<SecondFactorRequired, "challenge" | "methods" | "passkey">
) => {
  const told = {
    challenge,
    methods: methods.join(","),
    ...(passkey === undefined ? {} : { passkey: JSON.stringify(passkey) })
  }
  const [page = "/"] = location.split("#", 1)
  return { cookie, location: `${page}#${new URLSearchParams(told).toString()}` }
}
