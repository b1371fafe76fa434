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
  { challenge, methods }: { readonly challenge: string; readonly methods: ReadonlyArray<string> }
) => ({ cookie, location: `${location}#${new URLSearchParams({ challenge, methods: methods.join(",") }).toString()}` })
