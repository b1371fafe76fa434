import { asObject, type Json, mapOperations } from "./Json.ts"

/** Descriptions of parameters, the same at every endpoint. */
const TEXTS: Readonly<Record<string, string>> = {
  invitation: "The id of an invitation of this tenant.",
  id: "A UUID. One that is not yours answers like one that does not exist.",
  user: "The id of a user of the tenant.",
  session: "The id of a session.",
  limit: "The rows of a page; 50 where it is left out.",
  cursor: "The `next_cursor` of the page before.",
  slug: "The last part of the tenant's `login_url`.",
  name: "The last part of the provider's `login_url`.",
  choice: "Of a `login_url` of 409 `tenant_required`: the account that the person chose.",
  return_to: "A path of this server to go to after the login. Left out: `/`.",
  redirect_uri: "Where an app is told a code.",
  code_challenge: "PKCE's challenge of the app, with `redirect_uri`.",
  code_challenge_method: "`S256`.",
  state: "What the app is told again.",
  email: "An address, of which only the domain is looked at.",
  domain: "A domain that the connection names.",
  provider: "Only this provider's.",
  model: "Only this model's.",
  own: "`true`: only the operator's own.",
  ended: "`true`: also those that do not hold any more.",
  status: "Only those of this status.",
  plan_id: "Only tenants with this plan.",
  tenant_id: "Of this tenant only.",
  from: "The first day, in UTC.",
  to: "The last day, in UTC.",
  group_by: "What to sum by: one, or several with commas.",
  scope: "`own`: what you asked. `tenant`: what all users of the tenant asked, for admins.",
  search: "A text that is in question or answer: 2 to 200 characters.",
  format: "`text`: the data of an event is a token. `json`: it is a `StreamEvent`.",
  after: "The place of the last token that was received: the stream goes on behind it. 0 is the beginning.",
  content: "The question.",
  conversation_id: "The conversation that the question belongs to.",
  "last-event-id":
    "The `id` of the last event that was received: the stream goes on behind it, and nothing is asked. Empty: none.",
  lastEventId: "As the header `Last-Event-ID`, for readers that cannot send one. The header comes first.",
  last_event_id: "As `lastEventId`.",
  factor: "A second factor's id.",
  proof:
    "The `proof` of `POST /me/proof`, where one is wanted: by a second factor, if the account has one, else by its password. Without a good one the answer is 403 `proof_required`.",
  "idempotency-key":
    "A name for this request, made up by its sender and used once, such as a UUID. Sent again with its key, the request gets its first answer, marked `Idempotency-Replayed: true`, and creates nothing; with another body it is a 422. Kept for a day, for the user who sent it; of a request without a user, for the network it came from. Empty: none."
}

/** The document with a description for each parameter. */
export const withParameterTexts = (document: Json): Json => ({
  ...document,
  paths: mapOperations(document, (operation, path) =>
    Array.isArray(operation["parameters"])
      ? { ...operation, parameters: operation["parameters"].map((each) => described(asObject(each), path)) }
      : operation
  )
})

/** Those of some addresses, by the beginning of the path. */
const THERE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "/usage": {
    group_by:
      "What the rows are of: some of `day`, `user`, `key`, `model` and `door`, with commas between them. Left out: one row of all.",
    from: "The first day, in UTC. Left out: the first of this month.",
    to: "The last day. Left out: today.",
    scope: "`own`: what you used. `tenant`: what all users of the tenant used, for admins.",
    limit: "The rows of a page; 100 where it is left out.",
    format: "`csv`: a table, as with `Accept: text/csv`."
  },
  "/tenants/{id}/audit": {
    type: "A type of events, or the beginning of some, which ends with a dot.",
    actor: "Who did it: the id of a user, a service account or an API key.",
    subject: "The id of what it was done to.",
    from: "The earliest time, as in RFC 3339.",
    to: "After the latest time.",
    format: "`csv`: a table, as with `Accept: text/csv`."
  },
  "/limits": {
    user: "The id of a user or a service account, instead of the caller.",
    key: "The id of an API key, instead of the caller's."
  },
  "/v1/models": { id: "The name of a model." },
  "/v1/responses": {
    id: "The id of a response, `resp_…`. One that is not yours answers like one that does not exist.",
    stream: "`true`: the events of the response.",
    starting_after: "The `sequence_number` of the last event that was received: the stream goes on behind it.",
    limit: "The items of a page; 20 where it is left out.",
    order: "`desc`, the newest first, or `asc`.",
    after: "The id of the last item of the page before."
  }
}

const described = (parameter: Json, path: string): Json => {
  const [, texts = {}] = Object.entries(THERE).find(([prefix]) => path.startsWith(prefix)) ?? []
  const name = String(parameter["name"])
  return { description: texts[name] ?? TEXTS[name], ...parameter }
}
