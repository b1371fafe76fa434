import { Access, Authorization, KEY_HEADERS } from "@llm-saas/api/Access"
import { ruleOf } from "@llm-saas/api/Scopes"
import { type Access as Least, Actor } from "@llm-saas/domain/Actor"
import { isMeantAsKey } from "@llm-saas/domain/ApiKeyText"
import { Forbidden, type TooManyRequests, Unauthenticated, type Unavailable } from "@llm-saas/domain/Refusal"
import { InsufficientScope } from "@llm-saas/domain/Scope"
import { Context, Effect, Layer, Redacted } from "effect"
import { HttpServerRequest } from "effect/http"
import { AccessTokens } from "./AccessTokens.ts"
import { ApiKeys } from "./ApiKeys.ts"
import type { Sender } from "../config/ClientNetworks.ts"
import { noteActor } from "../logging/RequestRecord.ts"

type Refused = Unauthenticated | Forbidden | InsufficientScope | TooManyRequests | Unavailable

/** What verifies tokens and keys. */
export const verifiers = Effect.all({ tokens: AccessTokens, keys: ApiKeys })
type Verifiers = Effect.Success<typeof verifiers>

/** An operation: its name in the table of scopes, and who may call it. */
interface Operation {
  readonly name: string
  readonly access: Least | undefined
}

/** Verifies the token or key of a request and provides the `Actor`. Whether it may act is decided by the database, inside the room. */
export const AuthorizationLayer = Layer.effect(
  Authorization,
  Effect.map(verifiers, (verifiers) =>
    Authorization.of({
      bearer: (handler, { credential, endpoint, group }) =>
        Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
          const name = `${group.identifier}.${endpoint.identifier}`
          const operation = { name, access: Context.getOrUndefined(endpoint.annotations, Access) }
          return authorize(verifiers, Redacted.value(credential), operation, request, handler)
        })
    })
  )
)

/**
 * Runs `handler` as the user a token or key names, or refuses. `bearer`: the bearer token, empty if there is none; then the first header
 * counts in which SDKs send keys.
 */
export const authorize = <A, E, R>(
  { keys, tokens }: Verifiers,
  bearer: string,
  operation: Operation,
  from: Sender,
  handler: Effect.Effect<A, E, R>
): Effect.Effect<A, E | Refused, Exclude<R, Actor>> => {
  const run = (actor: Actor["Service"]) =>
    Effect.andThen(noteActor(actor.tenantId, actor.userId), Effect.provideService(handler, Actor, actor))
  const key = bearer === "" ? keyIn(from) : isMeantAsKey(bearer) ? bearer : ""
  if (key !== "") return Effect.flatMap(keyActor(keys, key, operation, from), run)
  if (bearer === "") return Effect.fail(new Unauthenticated({}))
  const needs = operation.access === "admin" ? "admin" : "user"
  return Effect.flatMap(tokens.verify(bearer), (verified) => run({ ...verified, needs }))
}

const BEARER = /^Bearer +(\S+)$/iu

/** The bearer token of a request or call; empty: it has none. */
export const bearerOf = (headers: Readonly<Record<string, string | undefined>>): string =>
  BEARER.exec(headers["authorization"] ?? "")?.[1] ?? ""

/** Whether a request has a token or a key, good or not. */
export const hasCredential = (headers: Readonly<Record<string, string | undefined>>): boolean =>
  headers["authorization"] !== undefined || KEY_HEADERS.some((name) => headers[name] !== undefined)

const keyIn = ({ headers }: Sender): string => {
  for (const name of KEY_HEADERS) {
    const key = headers[name]
    if (key !== undefined && key !== "") return key
  }
  return ""
}

/** The actor of a key that works, if the key may do this. */
const keyActor = (
  keys: ApiKeys["Service"],
  text: string,
  { access, name }: Operation,
  from: Sender
): Effect.Effect<Actor["Service"], Refused> =>
  Effect.flatMap(keys.verify(text, from), (found): Effect.Effect<Actor["Service"], Refused> => {
    const rule = ruleOf(name)
    const isAdmin = found.scopes.includes("admin")
    if (rule === "login") return Effect.fail(new Forbidden({ detail: NEEDS_LOGIN }))
    if (rule !== "any" && !rule.some((scope) => found.scopes.includes(scope)))
      return Effect.fail(new InsufficientScope({ scopes: rule }))
    if (access === "admin" && !isAdmin) return Effect.fail(new InsufficientScope({ scopes: ["admin"] }))
    return Effect.succeed({
      tenantId: found.tenant_id,
      userId: found.user_id,
      tokenEpoch: found.token_epoch,
      needs: access === "admin" ? "admin" : isAdmin ? "user" : "own",
      key: { id: found.key_id, scopes: found.scopes, models: found.models, expiresAt: found.expires_at }
    })
  })

const NEEDS_LOGIN = "No API key may do this: it needs the access token of a login."
