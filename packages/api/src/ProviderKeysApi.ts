import { KeyName, Models } from "@llm-saas/domain/ApiKey"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import {
  ProviderKey,
  ProviderKeyId,
  ProviderKeyNotFound,
  ProviderName,
  ProviderNotFound,
  ProviderSecret
} from "@llm-saas/domain/ProviderKey"
import { Unavailable } from "@llm-saas/domain/Refusal"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import * as Examples from "./Examples.ts"
import { keyHeader } from "./Idempotent.ts"
import { pageOf, PageQuery } from "./Page.ts"

/** A key at a provider, to keep. */
export const CreateProviderKey = Schema.Struct({
  provider: ProviderName,
  name: KeyName,
  key: ProviderSecret,
  models: Schema.optionalKey(Models)
}).annotate({
  identifier: "CreateProviderKey",
  description:
    "`models` names the models that it is used for, as they are asked here: without it, all of the provider's."
})

/** Members of a key that can be changed; those left out stay as they are. */
export const changeableOfProviderKey = {
  name: Schema.optionalKey(KeyName),
  models: Schema.optionalKey(Models),
  disabled: Schema.optionalKey(Schema.Boolean)
}

const MEMBERS = Object.keys(changeableOfProviderKey)

/** A change without members is invalid. */
export const changesProviderKey = Schema.makeFilter(
  (change: object) =>
    MEMBERS.some((member) => member in change) ? undefined : `Expected at least one of ${MEMBERS.join(", ")}`,
  {
    expected: `at least one of ${MEMBERS.join(", ")}`,
    toJsonSchema: () => ({ anyOf: MEMBERS.map((member) => ({ required: [member] })) })
  }
)

/** One page of keys at providers. */
export const ProviderKeyPage = pageOf("ProviderKeyPage", ProviderKey)

const one = { id: ProviderKeyId }

const create = HttpApiEndpoint.post("create", "/provider-keys", {
  headers: keyHeader,
  payload: CreateProviderKey,
  success: ProviderKey.pipe(HttpApiSchema.status(201)),
  error: [ProviderNotFound, IdempotencyMismatch, Unavailable]
})
  .annotateMerge(Examples.answers(201, Examples.providerKey, Examples.createProviderKey))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Keep a key of your own at a provider",
      description:
        "From then on the tenant's questions to that provider are asked with it, and paid by its account. It is stored encrypted, and is in no answer of this API: to change it, keep the new one and delete the old one. Of several, the newest one that names the model is used, else the newest one for all models.\n\nWhich providers there are, and whether they take keys of tenants, is the operator's configuration."
    })
  )

const list = HttpApiEndpoint.get("list", "/provider-keys", {
  query: PageQuery,
  success: ProviderKeyPage,
  error: Unavailable
})
  .annotateMerge(Examples.answers(200, { data: [Examples.providerKey], next_cursor: null }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "List keys at providers",
      description:
        "Newest first, without the keys. `unreadable`: the installation has lost what it was encrypted with. Questions that would be asked with it fail; delete it, and keep it again."
    })
  )

const change = HttpApiEndpoint.patch("change", "/provider-keys/:id", {
  params: one,
  payload: Schema.Struct(changeableOfProviderKey)
    .check(changesProviderKey)
    .annotate({ identifier: "ChangeProviderKey" }),
  success: ProviderKey,
  error: [ProviderKeyNotFound, Unavailable]
})
  .annotateMerge(
    Examples.answers(
      200,
      { ...Examples.providerKey, status: "disabled", disabled_at: "2026-11-24T23:00:00.000Z" },
      { disabled: true }
    )
  )
  .annotateMerge(
    OpenApi.annotations({
      summary: "Change a key at a provider",
      description:
        "`disabled: true` stops its use, and `false` lets it be used again: at once in the process that answers, and within five seconds in others. `models` is replaced as a whole."
    })
  )

const remove = HttpApiEndpoint.delete("remove", "/provider-keys/:id", {
  params: one,
  success: HttpApiSchema.NoContent,
  error: [ProviderKeyNotFound, Unavailable]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Delete a key at a provider",
    description: "Its row is removed. Other processes may use it for five seconds more, and answers under way go on."
  })
)

/** A tenant's own keys at providers. */
export class ProviderKeysApi extends HttpApiGroup.make("providerKeys")
  .add(create, list, change, remove)
  .middleware(Authorization)
  .annotateEndpoints(Access, "admin")
  .annotateMerge(
    OpenApi.annotations({
      title: "Provider keys",
      description: "For a tenant's admins: keys of accounts of their own at the models' providers."
    })
  ) {}
