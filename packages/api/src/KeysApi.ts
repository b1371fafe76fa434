import {
  ApiKey,
  CurrentKey,
  KeyId,
  KeyName,
  KeyNotFound,
  Metadata,
  Models,
  NewApiKey,
  Scopes
} from "@llm-saas/domain/ApiKey"
import { ServiceAccountNotFound } from "@llm-saas/domain/ApiKey"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { allowance, LimitBeyondPlan } from "@llm-saas/domain/Limit"
import { Forbidden, Unavailable } from "@llm-saas/domain/Refusal"
import { UserId } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import * as Examples from "./Examples.ts"
import { keyHeader } from "./Idempotent.ts"
import { pageOf, PageQuery } from "./Page.ts"

const MOMENT = "a time as in 2027-01-31T12:00:00Z"

/** A moment, with its zone (RFC 3339). PostgreSQL knows no year 0, and a year has four digits in UTC too, in which it is written on. */
export const Moment = Schema.String.check(
  Schema.makeFilter(
    (text) => (RFC3339.test(text) && Date.parse(text) < YEAR_10000 ? undefined : `Expected ${MOMENT}`),
    {
      expected: MOMENT,
      toJsonSchema: () => ({ format: "date-time" })
    }
  )
).pipe(Schema.decodeTo(Schema.DateTimeUtcFromString))

/** Milliseconds since 1970. What is no time is not before it either. */
const YEAR_10000 = Date.UTC(10_000, 0)

const RFC3339 = /^[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/u

/** A key to make. */
export const CreateKey = Schema.Struct({
  name: KeyName,
  owner: Schema.optionalKey(Schema.Union([Schema.Literal("me"), UserId])),
  scopes: Scopes,
  models: Schema.optionalKey(Models),
  expires_at: Schema.optionalKey(Schema.NullOr(Moment)),
  metadata: Schema.optionalKey(Metadata),
  ...allowance
}).annotate({
  identifier: "CreateKey",
  description:
    "`owner` is `me` unless an admin gives the id of a service account. `models` names the models it may ask: without it, all. Without `expires_at` it lives until it is deleted."
})

/** Members of a key that can be changed; those left out stay as they are. */
export const changeable = {
  name: Schema.optionalKey(KeyName),
  scopes: Schema.optionalKey(Scopes),
  models: Schema.optionalKey(Models),
  expires_at: Schema.optionalKey(Schema.NullOr(Moment)),
  disabled: Schema.optionalKey(Schema.Boolean),
  metadata: Schema.optionalKey(Metadata),
  ...allowance
}

const MEMBERS = Object.keys(changeable)

/** A change without members is invalid. */
export const changesKey = Schema.makeFilter(
  (change: object) =>
    MEMBERS.some((member) => member in change) ? undefined : `Expected at least one of ${MEMBERS.join(", ")}`,
  {
    expected: `at least one of ${MEMBERS.join(", ")}`,
    toJsonSchema: () => ({ anyOf: MEMBERS.map((member) => ({ required: [member] })) })
  }
)

const LONGEST_GRACE_SECONDS = 30 * 24 * 3600

/** How long the old secret works on: by default not at all, at most 30 days. */
export const rotation = {
  grace_seconds: Schema.optionalKey(
    Schema.Int.check(
      Schema.isBetween(
        { minimum: 0, maximum: LONGEST_GRACE_SECONDS },
        { expected: `a whole number from 0 to ${LONGEST_GRACE_SECONDS}` }
      )
    )
  )
}

/** Which keys: by default the caller's own. */
export const KeyQuery = { ...PageQuery, scope: Schema.optionalKey(Schema.Literals(["own", "tenant"])) }

/** One page of keys. */
export const KeyPage = pageOf("KeyPage", ApiKey)

const one = { id: KeyId }

const create = HttpApiEndpoint.post("create", "/keys", {
  headers: keyHeader,
  payload: CreateKey,
  success: NewApiKey.pipe(HttpApiSchema.status(201)),
  error: [Forbidden, ServiceAccountNotFound, IdempotencyMismatch, LimitBeyondPlan, Unavailable]
})
  .annotateMerge(Examples.answers(201, Examples.newKey, Examples.createKey))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Make an API key",
      description:
        "`key` is the whole key, and is shown this once: what is stored is its hash. Sent again with its `Idempotency-Key`, the request makes no second key, and its answer has `key: null`; if the first answer was lost, rotate the key.\n\nA key acts as its owner, who is the caller or, for admins, a service account. Only admins give the scope `admin`. With a key only keys can be made that may no more than itself, and live no longer; a key with limits or a budget of its own makes none."
    })
  )

const list = HttpApiEndpoint.get("list", "/keys", {
  query: KeyQuery,
  success: KeyPage,
  error: Unavailable
})
  .annotateMerge(Examples.answers(200, { data: [Examples.apiKey], next_cursor: null }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "List API keys",
      description:
        "Newest first, without their secrets. `scope=tenant` lists those of all users and service accounts, for admins."
    })
  )

const get = HttpApiEndpoint.get("get", "/keys/:id", {
  params: one,
  success: ApiKey,
  error: [KeyNotFound, Unavailable]
})
  .annotateMerge(Examples.answers(200, Examples.apiKey))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Read an API key",
      description: "What it may and when it was last used, to the minute. Admins read those of the whole tenant."
    })
  )

const change = HttpApiEndpoint.patch("change", "/keys/:id", {
  params: one,
  payload: Schema.Struct(changeable).check(changesKey).annotate({ identifier: "ChangeKey" }),
  success: ApiKey,
  error: [KeyNotFound, Forbidden, LimitBeyondPlan, Unavailable]
})
  .annotateMerge(Examples.answers(200, { ...Examples.apiKey, name: "nightly report" }, { name: "nightly report" }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Change an API key",
      description:
        "Counts from the key's very next request. `disabled: true` stops it, and `false` lets it work again; an `expires_at` in the past ends it. `metadata`, `scopes`, `models` and `budget` are replaced as a whole; of `limits` those left out stay, and null takes one away. Limits and a budget are set within the tenant's plan; those that an admin set only admins change."
    })
  )

const remove = HttpApiEndpoint.delete("remove", "/keys/:id", {
  params: one,
  success: HttpApiSchema.NoContent,
  error: [KeyNotFound, Unavailable]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Delete an API key",
    description:
      "It is refused from its very next request on. For 30 days a use of it is noticed in the audit log; then nothing is left of it but the accounts of its answers."
  })
)

const rotate = HttpApiEndpoint.post("rotate", "/keys/:id/rotate", {
  params: one,
  headers: keyHeader,
  payload: Schema.Struct(rotation).annotate({ identifier: "RotateKey" }),
  success: NewApiKey,
  error: [KeyNotFound, Forbidden, IdempotencyMismatch, Unavailable]
})
  .annotateMerge(Examples.answers(200, Examples.newKey, { grace_seconds: 3600 }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Give an API key a new secret",
      description:
        "The id and everything else stay. The old secret works for `grace_seconds` more (default 0, at most 30 days); one that was still in its grace from an earlier rotation ends now. Rotated by its owner; those of service accounts by admins. Sent again with its `Idempotency-Key`, it rotates once, and `key` is null."
    })
  )

const current = HttpApiEndpoint.get("current", "/v1/key", {
  success: CurrentKey,
  error: [KeyNotFound, Unavailable]
})
  .annotateMerge(Examples.answers(200, Examples.currentKey))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Which key is this",
      description:
        "What the key of this request may, and what was asked with it today and this month (UTC). Every key may ask this of itself; for an access token there is none."
    })
  )

/** API keys. */
export class KeysApi extends HttpApiGroup.make("keys")
  .add(create, list, get, change, remove, rotate, current)
  .middleware(Authorization)
  .annotateEndpoints(Access, "user")
  .annotateMerge(OpenApi.annotations({ title: "API keys", description: "For programs, which have no login." })) {}
