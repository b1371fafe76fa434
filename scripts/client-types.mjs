// The plain client's types, from the contract's document: `npm run openapi` writes them, a test of the client keeps them current.
// Not by openapi-typescript: it prints with the API of TypeScript 5, which 7 does not have.

/** Schemas that the client hands out or takes, with what the document does not say of them. Those they refer to are added. */
const TYPES = {
  About: "What an installation is: `setup` while it has no tenant; `mlflow_url` in development only.",
  Tenant: "A customer of the installation. Times here, and in all other types, are ISO 8601.",
  ChangeTenant: "Members of a tenant to change; those left out stay.",
  ContentRetention: 'What a tenant keeps of questions and answers; `days` with `content: "days"` only.',
  ContentRetentionChoice: "A choice of it.",
  User: "A person of one tenant.",
  Profile: "The client's own user, with the tenant.",
  Token:
    "A bearer token. `expires_in` is in seconds. Of a session also what renews it, and in how many seconds that ends.",
  Session: "A login that is not over: it ends at `expires_at` unless it is renewed, and at `ends_at` in any case.",
  MailRequest: "An address that a mail is asked for; `tenant_id` names one of its accounts.",
  LoginAnswer: "The same after a second step, with the recovery codes of an account that set its first factor up.",
  SecondFactor: "The second step of a login: one of `code`, `recovery_code` and `passkey`.",
  CreatedPasskey: "What `navigator.credentials.create` made, as JSON.",
  UsedPasskey: "What `navigator.credentials.get` made, as JSON.",
  PasskeyCreation: "What a browser wants, and the `challenge` that comes back with its answer.",
  AddPasskey: "A passkey to add.",
  Factors: "The second factors of an account. `required`: the last one stays.",
  FactorList: "The second factors of a user.",
  Factor: "A second factor.",
  NewTotp: "One-time codes to set up: the `secret`, and the same for a QR code.",
  AddedFactor: "A second factor that counts from now on, with the recovery codes of an account that had none.",
  NewRecoveryCodes: "Recovery codes, which are shown this once.",
  Prove: "What proves who asks: one of these.",
  Proof: "A proof, good for `expires_in` seconds.",
  LoginPolicy: "What a tenant asks of logins.",
  LoginPolicyChoice: "A policy to set. `link_by_email` is false where it is left out.",
  LoginProvider: "A provider for all tenants, as a login form shows it.",
  LinkIdentity: "A provider at which a person is to be linked; `return_to` is a path of the server.",
  IdentityLink: "Where the browser goes to log in there.",
  SsoIdentity: "A person at an identity provider who logs in to the account.",
  Membership: "An account of the person, in this tenant or another.",
  Invitation: "An address that is invited into a tenant. `user_id` is the account that accepting made.",
  InvitationOffer: "What the link of an invitation leads to.",
  Message:
    "A question and its answer. `response` is null until the answer ended, and partial if it did not complete. `latency_ms` and `ttft_ms` are milliseconds from the request to the end of the answer, and to its first token.",
  ToolCall: "A tool that the model calls, for the client to run. `arguments` is JSON, as the model wrote it.",
  Conversation: "A series of messages. `model` and `system` are for its questions that have none of their own.",
  CreateConversation: "A conversation to begin.",
  ChangeConversation: "Members of a conversation to change; those left out stay.",
  Generation: "An answer's status and its text so far. `seq` is the last token's position.",
  AnswerUnderWay:
    "An answer that is not over. `tokens_per_second` is the average since `started_at`, null before the first token; `email` null: a service account.",
  AuditEvent:
    "Something that was done in a tenant. `address`: where the session was seen last that it is about; null: there is none, or not any more.",
  AuditActor: "Who did it. `nobody`: a deed of no one, such as a failed login. `key`: the API key it was done with.",
  AuditSubject: "What it was done to. `name`: a user's address or a key's name, while it exists.",
  Feedback: "A user's rating of an answer.",
  IsolationReport: "Whether the installation's tenants are kept apart: the rules, the trials and their findings.",
  IsolationCheck: "One rule or trial.",
  IsolationFinding: "An object that does not keep tenants apart.",
  StreamEvent:
    "One event of an answer's stream. `delta` is one token: `seq` counts from 1. `end`: the answer is whole, and stored.",
  Question: "A question: its text, its conversation, and how it is to be answered.",
  FunctionTool: "A function that the model may call. `parameters` is the JSON Schema of its arguments.",
  ToolResult:
    "What a tool says to a call of the answer before. Without a conversation, with the `name` and `arguments` of the call.",
  Attachment: "An image, a sound or a file: its bytes in base64, or its address.",
  SchemaFormat: "JSON of this schema.",
  Scope: "What an API key may do.",
  ApiKey: "An API key, without its secret. `begins_with` is how it begins.",
  NewApiKey: "An API key with its secret, `key`: null only in a repeated answer.",
  CurrentKey: "The key of the client, and what was asked with it, by calendar days and months in UTC.",
  KeyUsage: "What was asked with a key. `cost_usd` is null where a price is not known.",
  CreateKey: "A key to make. `owner` is `me`, or the id of a service account.",
  ChangeKey: "Members of a key to change; those left out stay.",
  Limits: "What may be asked at a time; null: not limited here.",
  LimitsChange: "Limits to set; those left out stay, and null takes one away.",
  LimitsInForce: "All limits and budgets that hold for a request.",
  LimitInForce:
    "What is limited of a key, a user, the tenant or its questions to a model, and what is left of it; null: not limited.",
  KeyLeft: "What is left of a key's limits; null: not limited.",
  OfMinute: "Of a limit of the minute: how much of it can be used now, and when all of it can.",
  OfAnswers: "Answers that run, and how many more may.",
  OfBudget:
    "A budget in its current period. Amounts are US dollars as decimal texts; `reserved` is for answers that run.",
  Budget: "What may be spent in a period: a decimal text of US dollars.",
  BudgetChoice: "A budget to set.",
  ManagedUser: "A person of one tenant as its admins manage them, with their own limits.",
  ChangeUser: "Members of a user to change; those left out stay.",
  CreateServiceAccount: "A service account to create.",
  ChangeServiceAccount: "Its limits and budget; those left out stay.",
  UsageRow:
    "What was used and what it cost, summed over what the row names. Amounts are US dollars, decimals as text; `key_id` null is a login.",
  ServiceAccount: "An owner of keys who is no person.",
  ProviderKey: "A tenant's key at a provider, without the key.",
  CreateProviderKey: "A key at a provider, to keep.",
  ChangeProviderKey: "Members of a key at a provider to change; those left out stay.",
  SsoConnection: "A tenant's own OpenID Connect provider, without the client's secret.",
  SsoDomain: "A domain of a connection. `routed`: its people are led there, since DNS has `record`.",
  SsoConnectionChoice:
    "What it is to be. A `client_secret` that is left out stays, unless the issuer or the client changes.",
  LoginPlace: "Where to log in: null is by password.",
  OperatorToken: "A token of the operator, without its secret. `expires_at` null: never.",
  OperatorTenant:
    "A tenant as the operator sees it. `markup`, `models` and `content_days_at_most` are its plan's; `users`: how many people have an account.",
  CreateOperatorTenant: "A tenant to create.",
  Erasure: "What an erasure removed: rows by table.",
  Correction: "A correction of what a tenant owes: US dollars as decimal texts.",
  MadeCorrection: "A correction with the id of its entry in the ledger.",
  Plan: "What tenants may use and what it costs them: `markup` is what they owe for each dollar of the provider's price.",
  PlanChoice: "A plan to make, or that takes the place of one.",
  PlanLimits: "Limits and budgets; what is left out is not limited.",
  OperatorPrice: "A price of a provider: US dollars for `per` of the unit. `own`: the operator's.",
  AddPrice: "A price to add.",
  OperatorUsage:
    "What was used, and what it cost: sums by the groups that were asked for. Amounts are US dollars, decimals as text.",
  OperatorEvent: "Something that the operator did; `token` null: a command of an administrator of the database.",
  TargetHealth:
    "A model at a provider. `breaker` open: no questions are sent, for `retry_seconds` more. `tenants_waiting`: how many tenants' alone are not.",
  OperatorHealth: "How providers are, and what waits: to be sent to MLflow, and by mail."
}

/** Choices that have a name of their own, and a member each of which they are the type. */
const CHOICES = {
  Role: { of: "User.role", text: "A user's rights in their tenant." },
  Registration: { of: "Tenant.registration", text: "Whether people may create an account in the tenant themselves." },
  GenerationStatus: { of: "Generation.status", text: "The status of an answer; the last four are final." },
  FinishReason: { of: "Generation.finish_reason", text: "Why the model stopped by itself." },
  PasswordFlaw: { of: "PasswordRefused.reason", text: "Why a password may not be chosen." },
  FailureReason: { of: "Generation.failure", text: "Why there is no whole answer." }
}

/** The text of `packages/client/src/plain/Schemas.ts`. */
export function clientTypes({ components: { schemas } }) {
  const choices = new Map()
  for (const [name, { of }] of Object.entries(CHOICES)) {
    const [type, member] = of.split(".")
    const schema = schemas[type].properties[member]
    choices.set(literals((schema.anyOf ?? [schema]).find((each) => each.enum !== undefined)), name)
  }
  const printer = { schemas, choices }
  const codes = Object.values(schemas).flatMap(({ properties }) =>
    properties?.type?.enum?.[0].startsWith("/problems/") ? properties.code.enum : []
  )
  const blocks = [
    "// Written by `npm run openapi` from packages/api/openapi.json: plain types, so that users of the client need no Effect.",
    ...[...choices].map(([text, name]) => `${comment(CHOICES[name].text)}export type ${name} = ${text}`),
    ...Object.entries(TYPES).map(([name, text]) => `${comment(text)}${declaration(printer, name)}`),
    `${comment("Stable codes of the problems.")}export type ProblemCode =${codes
      .sort()
      .map((code) => `\n  | "${code}"`)
      .join("")}`
  ]
  return `${blocks.join("\n\n")}\n`
}

const comment = (text) => `/** ${text} */\n`

const literals = ({ enum: values }) => values.map((each) => JSON.stringify(each)).join(" | ")

function declaration(printer, name) {
  const type = typeOf(printer, printer.schemas[name], "")
  return type.startsWith("{") && !type.includes("} |")
    ? `export interface ${name} ${type}`
    : `export type ${name} = ${type}`
}

function typeOf(printer, schema, indent) {
  const { anyOf, items, $ref: reference, type } = schema
  if (reference !== undefined) return referred(reference)
  if (anyOf !== undefined) return anyOf.map((each) => typeOf(printer, each, indent)).join(" | ")
  if (schema.enum !== undefined) return printer.choices.get(literals(schema)) ?? literals(schema)
  if (type === "integer" || type === "number") return "number"
  if (type === "string" || type === "boolean" || type === "null") return type
  if (type === "array") return `ReadonlyArray<${typeOf(printer, items, indent)}>`
  if (type === "object" && schema.properties === undefined) {
    const { additionalProperties: each } = schema
    return `Readonly<Record<string, ${each === undefined ? "unknown" : typeOf(printer, each, indent)}>>`
  }
  if (type === "object") return objectOf(printer, schema, indent)
  throw new Error(`no type for the schema ${JSON.stringify(schema)}`)
}

function objectOf(printer, { properties, required = [] }, indent) {
  const members = Object.entries(properties).map(([name, schema]) => {
    const mark = required.includes(name) ? "" : "?"
    return `${indent}  readonly ${name}${mark}: ${typeOf(printer, schema, `${indent}  `)}`
  })
  return ["{", ...members, `${indent}}`].join("\n")
}

function referred(reference) {
  const name = reference.split("/").at(-1)
  if (!Object.hasOwn(TYPES, name))
    throw new Error(`${name} is part of the client's types: it needs a line in scripts/client-types.mjs`)
  return name
}
