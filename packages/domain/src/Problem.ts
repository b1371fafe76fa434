// Longer than other files: one table, with an entry for each problem.

/** The texts of a problem that are the same for every request. */
interface About {
  /** The HTTP status it is answered with. */
  readonly status: number
  /** The kind of problem, in a few words: the same in every answer. */
  readonly title: string
  /** What happened, as a sentence for people. An answer may replace it by a more specific one. */
  readonly detail: string
  /** What the caller can do about it. */
  readonly help: string
}

/**
 * Every problem of this API, by its stable code. An answer's `type` is `/problems/{code}` (RFC 9457 §3.1.1), where the server shows these
 * texts. One table of all of them, and therefore a long file.
 */
export const PROBLEMS = {
  invalid_request: {
    status: 400,
    title: "The request is not valid",
    detail: "Something in the request is not what this address expects.",
    help: "`errors` says which values are not as expected, and what was expected. Correct them and send the request again."
  },
  unknown_parameter: {
    status: 400,
    title: "There is no such query parameter",
    detail: "The address has a query parameter that does not exist here.",
    help: "`errors` names the parameter, and the right one where its name is known. Pages are read by `limit` and `cursor`: send the `next_cursor` of one page as the `cursor` of the next."
  },
  malformed_request: {
    status: 400,
    title: "This is not an HTTP request",
    detail: "What was sent does not follow the rules of HTTP/1.1.",
    help: "Look at what the client, or a proxy between, really sends: header lines, lengths, chunks."
  },
  malformed_json: {
    status: 400,
    title: "The body is not JSON",
    detail: "The body does not parse as JSON.",
    help: "Send one JSON value as RFC 8259 defines it, with double quotes around names and texts."
  },
  invalid_utf8: {
    status: 400,
    title: "The text is not UTF-8",
    detail: "The address or the body holds bytes that are not valid UTF-8.",
    help: "Encode all text as UTF-8."
  },
  unauthenticated: {
    status: 401,
    title: "Authentication required",
    detail:
      "There is no access token or API key with this request, or it is not good any more: malformed, expired, deleted, or ended by a change of the password, the user or the tenant.",
    help: "Get a token by `POST /login`, or a key by `POST /keys`, and send it as `Authorization: Bearer …`."
  },
  invalid_credentials: {
    status: 401,
    title: "Wrong email or password",
    detail: "Email, password and tenant do not fit together. Which of them is wrong is not said.",
    help: "Check all three. After several wrong attempts in a row the next ones have to wait."
  },
  second_factor_required: {
    status: 401,
    title: "A second factor is required",
    detail: "The first step of the login succeeded. The account has a second factor, or must have one.",
    help: "Send the `challenge` with a code, a recovery code or a passkey to `POST /login/second-factor`. Where `methods` is empty, set one-time codes up first: `POST /login/second-factor/totp`."
  },
  invalid_second_factor: {
    status: 401,
    title: "The second factor does not fit",
    detail: "The code, recovery code or passkey is not right, or was used before.",
    help: "Wait for the authenticator's next code: each is taken once. After several wrong ones the next have to wait."
  },
  challenge_ended: {
    status: 401,
    title: "The login must begin anew",
    detail: "The challenge is too old, was answered already, or was tried too often.",
    help: "Begin again with the first step of the login."
  },
  proof_required: {
    status: 403,
    title: "Prove once more who you are",
    detail: "This wants a proof that is not older than ten minutes.",
    help: "`methods` says what it may be. Get a proof by `POST /me/proof`, and send it in the header `Proof`."
  },
  forbidden: {
    status: 403,
    title: "Your role does not allow this",
    detail: "This is for admins of the tenant.",
    help: "Ask an admin of the tenant to do it, or to change the role."
  },
  insufficient_scope: {
    status: 403,
    title: "The API key may not do this",
    detail: "The API key lacks a scope, or is not for what was asked of it.",
    help: "`scopes` names the scopes of which one would do. Give the key one of them, or use another key: `GET /v1/key` shows what this one may."
  },
  model_not_allowed: {
    status: 403,
    title: "The API key is not for this model",
    detail: "The key names the models it may ask, and this one is not among them.",
    help: "Add the `model` to the key's `models`, or use another key."
  },
  registration_refused: {
    status: 403,
    title: "Registration refused",
    detail: "No account was created with these details. The reason is not said.",
    help: "Check the tenant's id. Log in if there is an account already, or ask an admin of the tenant to create one."
  },
  email_unverified: {
    status: 403,
    title: "The address is not verified yet",
    detail: "The password is right. Before the first login, the link in the mail to this address is to be followed.",
    help: "Follow the link. `POST /email/verification` sends another one."
  },
  link_refused: {
    status: 403,
    title: "The link does not hold",
    detail: "The link was used, a newer mail took its place, or it is too old. Which of them is not said.",
    help: "Use the link of the newest mail, or ask for another one."
  },
  invitation_refused: {
    status: 403,
    title: "The invitation does not hold",
    detail:
      "The link is not one of an invitation, or the invitation was accepted, sent again, revoked or is too old. Which of them is not said.",
    help: "Use the link of the newest mail, log in if there is an account already, or ask an admin of the tenant to send the invitation again."
  },
  tenant_creation_closed: {
    status: 403,
    title: "Tenants are not created here",
    detail: "Only the operator of this installation creates tenants.",
    help: "Ask the operator of the installation for a tenant."
  },
  not_found: {
    status: 404,
    title: "There is nothing here",
    detail: "No endpoint has this path. Paths are compared exactly: case, slashes and all.",
    help: "`/docs` and `/openapi.json` list every path."
  },
  tenant_not_found: {
    status: 404,
    title: "No such tenant",
    detail: "There is no tenant with this id, or it is not yours.",
    help: "Use the id of your own tenant, as `GET /me` shows it."
  },
  user_not_found: {
    status: 404,
    title: "No such user",
    detail: "Your tenant has no user with this id.",
    help: "`GET /tenants/{id}/users` lists them."
  },
  conversation_not_found: {
    status: 404,
    title: "No such conversation",
    detail: "There is no conversation with this id that you may see.",
    help: "`GET /conversations` lists yours."
  },
  model_not_found: {
    status: 404,
    title: "No such model",
    detail: "There is no model of this name here.",
    help: "`GET /v1/models` lists the models."
  },
  message_not_found: {
    status: 404,
    title: "No such message",
    detail: "There is no message with this id that you may see.",
    help: "`GET /messages` lists yours."
  },
  generation_not_found: {
    status: 404,
    title: "No such generation",
    detail: "There is no generation with this id that you may see.",
    help: "The `generation_id` of a message names its generation."
  },
  key_not_found: {
    status: 404,
    title: "No such API key",
    detail: "There is no API key with this id that you may see.",
    help: "`GET /keys` lists yours."
  },
  factor_not_found: {
    status: 404,
    title: "No such second factor",
    detail: "The account has no second factor with this id, or none that is being set up.",
    help: "`GET /me/factors` lists yours."
  },
  service_account_not_found: {
    status: 404,
    title: "No such service account",
    detail: "Your tenant has no service account with this id.",
    help: "`GET /service-accounts` lists them."
  },
  provider_key_not_found: {
    status: 404,
    title: "No such provider key",
    detail: "Your tenant has no key at a provider with this id.",
    help: "`GET /provider-keys` lists them."
  },
  provider_not_found: {
    status: 404,
    title: "No such provider",
    detail: "There is no provider of this name that takes keys of tenants.",
    help: "Ask the operator of the installation for the names of providers."
  },
  invitation_not_found: {
    status: 404,
    title: "No such invitation",
    detail: "Your tenant has no invitation with this id.",
    help: "`GET /tenants/{id}/invitations` lists them."
  },
  redirect_refused: {
    status: 400,
    title: "This address is not redirected to",
    detail: "`redirect_uri` is none that logins are sent to, or the `code_challenge` that goes with it is missing.",
    help: "It is `http://127.0.0.1:…` or `http://[::1]:…`, or on an origin of ALLOWED_ORIGINS, and comes with `code_challenge` and `code_challenge_method=S256`."
  },
  sso_expired: {
    status: 400,
    title: "This login cannot be finished",
    detail: "It was begun too long ago, or in another browser, or has ended already.",
    help: "Begin again."
  },
  sso_refused: {
    status: 403,
    title: "No account for this person",
    detail: "The identity provider knows this person, and they have no account here.",
    help: "Ask an admin of the tenant, whose audit log says why."
  },
  sso_required: {
    status: 403,
    title: "This tenant uses single sign-on",
    detail: "People of this tenant log in by its single sign-on, and not with a password.",
    help: "Log in at `login_url`, with the invited address: that accepts the invitation."
  },
  identity_not_found: {
    status: 404,
    title: "No such identity",
    detail: "No person with this id logs in to the account at an identity provider.",
    help: "`GET /me/identities` lists yours."
  },
  sso_not_found: {
    status: 404,
    title: "No such single sign-on",
    detail: "There is no single sign-on here, or it is switched off.",
    help: "Check the address with the admin who gave it. Admins set it up by `PUT /tenants/{id}/sso`."
  },
  method_not_allowed: {
    status: 405,
    title: "This method is not for this address",
    detail: "The path exists, but not with this method.",
    help: "The `Allow` header lists the methods of the path."
  },
  request_timeout: {
    status: 408,
    title: "The request took too long to arrive",
    detail: "The whole of the request did not arrive in time.",
    help: "Send it again, over a faster connection or in fewer bytes."
  },
  session_required: {
    status: 409,
    title: "This needs a session",
    detail: "The access token belongs to no session, and only a session leads to other tenants.",
    help: "Log in with `session: true`."
  },
  session_not_found: {
    status: 404,
    title: "No such session",
    detail: "There is no session with this id that is not over, or it is another user's: both get the same answer.",
    help: "`GET /me/sessions` lists those that are not over."
  },
  invalid_grant: {
    status: 400,
    title: "The refresh token is not good",
    detail: "The refresh token is not good any more, or never was: its session is over, or another token replaced it.",
    help: "Log in again. A refresh token is used once: keep the one that comes with each answer of `POST /token`."
  },
  csrf_refused: {
    status: 403,
    title: "Not from a page of this server",
    detail:
      "A session that is kept in a cookie is used only by pages of this server's own origin, with the header `X-CSRF: 1`.",
    help: "Send `X-CSRF: 1` from a page of the same origin; or ask for the refresh token itself, by `session: true` at the login."
  },
  tenant_required: {
    status: 409,
    title: "This account exists in several tenants: send tenant_id",
    detail: "The login fits accounts in several tenants.",
    help: "Send the `tenant_id` of the one that is meant; after a login at a provider, follow one `login_url` of `tenants`."
  },
  plan_not_found: {
    status: 404,
    title: "No such plan",
    detail: "There is no plan with this id.",
    help: "`GET /operator/plans` lists them."
  },
  price_not_found: {
    status: 404,
    title: "No such price",
    detail: "There is no price of the operator's own with this id that holds.",
    help: "`GET /operator/prices?own=true` lists them. Those that came with the program do not end by hand: a price of one's own counts instead."
  },
  plan_name_taken: {
    status: 409,
    title: "Another plan has this name",
    detail: "There is a plan of this name already.",
    help: "Use another name, or change the plan there is."
  },
  plan_in_use: {
    status: 409,
    title: "Tenants have this plan",
    detail: "A plan that tenants have cannot be removed.",
    help: "Give them another one first: `GET /operator/tenants?plan_id=…` lists them."
  },
  tenant_erased: {
    status: 409,
    title: "The tenant is erased",
    detail: "The tenant was erased, and stays so.",
    help: "`GET /operator/tenants/{id}/erasure` shows the receipt. Create a new tenant."
  },
  slug_taken: {
    status: 409,
    title: "The slug is taken",
    detail: "Another tenant's people log in at this address.",
    help: "Choose another `slug`."
  },
  last_login: {
    status: 409,
    title: "The last way to log in stays",
    detail: "The account has no other way to log in: no password, or passwords do not count in its tenant.",
    help: "Ask an admin of the tenant, who can disable or delete the account."
  },
  identity_taken: {
    status: 409,
    title: "This person has another account here",
    detail: "The person at the identity provider logs in to another account of the tenant.",
    help: "Unlink them there first, by `DELETE /me/identities/{id}`, or log in at the provider as somebody else."
  },
  sso_untried: {
    status: 409,
    title: "Single sign-on was not tried yet",
    detail: "No admin of the tenant has logged in by this provider, so that requiring it might lock all of them out.",
    help: "Log in once at `login_url` as an admin, and then set `required`."
  },
  domain_unproven: {
    status: 409,
    title: "The domain is not proven",
    detail: "DNS does not have the record that proves the domain, or the connection does not name the domain.",
    help: "`record` of `GET /tenants/{id}/sso` says which TXT record is needed. DNS may need some minutes after a change."
  },
  email_taken: {
    status: 409,
    title: "A user of this tenant has this email already",
    detail: "The tenant has a user with this email already.",
    help: "Use another email, or change the user there is."
  },
  factor_required: {
    status: 409,
    title: "The last second factor stays",
    detail: "The tenant requires a second factor of this account, and it has only this one.",
    help: "Set up another one first. New one-time codes replace those there are."
  },
  invitation_ended: {
    status: 409,
    title: "The invitation has ended",
    detail: "The invitation was accepted or revoked.",
    help: "Invite the address again, or change the user that it made."
  },
  last_admin: {
    status: 409,
    title: "The tenant's last active admin cannot be demoted, disabled or deleted",
    detail: "Without this user the tenant would have no active admin.",
    help: "Make another user an admin first."
  },
  generation_cancelled: {
    status: 409,
    title: "The answer was cancelled",
    detail: "The answer was stopped before its end. The text so far is kept.",
    help: "Read it by `GET /generations/{id}`, or ask again."
  },
  still_running: {
    status: 409,
    title: "The first request with this Idempotency-Key is still being answered",
    detail: "An earlier request with this Idempotency-Key is not answered yet.",
    help: "Send the request again after `retry_after` seconds: it then gets the answer of the first one."
  },
  payload_too_large: {
    status: 413,
    title: "The body is too large",
    detail: "The body has more bytes than this server takes.",
    help: "Send less. Questions have a limit of their own, in characters."
  },
  unsupported_media_type: {
    status: 415,
    title: "This content type is not understood here",
    detail: "The body's `Content-Type` or `Content-Encoding` is not one this address reads.",
    help: "Send uncompressed JSON as `application/json`; `POST /login` reads `application/x-www-form-urlencoded` too."
  },
  expectation_failed: {
    status: 417,
    title: "This expectation cannot be met",
    detail: "The `Expect` header asks for something other than `100-continue`.",
    help: "Leave the header out."
  },
  prompt_too_long: {
    status: 422,
    title: "The question is too long",
    detail: "The question has more characters than this server takes.",
    help: "`max_characters` says how many it may have, counted in Unicode code points."
  },
  password_refused: {
    status: 422,
    title: "This password may not be chosen",
    detail: "The password is too short, or among the first that are tried.",
    help: "`reason` says why, and `min_characters` how long it has to be. Choose another one: several words in a row are easy to remember."
  },
  idempotency_mismatch: {
    status: 422,
    title: "This Idempotency-Key was used for another request",
    detail: "An earlier request had this Idempotency-Key and another body.",
    help: "Make a new key for every request, and repeat a key only with the very same request."
  },
  passkey_refused: {
    status: 422,
    title: "The passkey cannot be added",
    detail: "The device's answer is not right, or the account has this passkey, or too many of them.",
    help: "Ask for new `options` and try again. An account has at most ten passkeys."
  },
  limit_beyond_plan: {
    status: 422,
    title: "The tenant's plan does not allow this much",
    detail: "A limit or the budget is above what the tenant's plan allows for each key or user.",
    help: "`members` names what is too much, and `plan` shows what the plan allows."
  },
  too_many_requests: {
    status: 429,
    title: "Too many requests",
    detail: "There were too many of these requests lately.",
    help: "Wait for as many seconds as `retry_after` and the `Retry-After` header say."
  },
  limit_reached: {
    status: 429,
    title: "A limit is reached",
    detail: "A limit of requests, tokens or concurrent answers is reached. Nothing was used up by this request.",
    help: "`scope` and `resource` say whose limit of what it is, `limit` how much that is. Send the request again after `retry_after` seconds."
  },
  budget_exhausted: {
    status: 429,
    title: "The budget does not suffice",
    detail: "This request may cost more than is left of a budget. Nothing was spent by it.",
    help: "`scope` says whose budget it is, `left` how much of `amount` is left, and `until` when the next period begins. A smaller `max_tokens` costs less; an admin can raise budgets of users and keys."
  },
  model_unpriced: {
    status: 403,
    title: "The model has no price",
    detail: "A budget holds here, and what this model costs is not known.",
    help: "Ask another `model`, or ask the operator of the installation to set a price for it."
  },
  headers_too_large: {
    status: 431,
    title: "The headers are too large",
    detail: "The request's address and headers together have more bytes than this server takes.",
    help: "Send less in them. A long question belongs into the body: `POST /messages/stream`."
  },
  internal_error: {
    status: 500,
    title: "Something went wrong on our side",
    detail: "The server failed for a reason of its own.",
    help: "Report it with its `request_id`, under which the cause is in the server's log."
  },
  content_filtered: {
    status: 422,
    title: "The model's provider refused the content",
    detail: "The provider's content filter refused the question, or all of the answer.",
    help: "Say it otherwise. The same question is refused again."
  },
  context_too_long: {
    status: 422,
    title: "The question and its conversation are too long for the model",
    detail: "The question, with the conversation before it, is longer than the model takes.",
    help: "Ask a shorter question, or begin a new conversation."
  },
  prompt_rejected: {
    status: 422,
    title: "The model's provider does not take the question",
    detail: "The provider found something in the text of the question that it does not take.",
    help: "Say it otherwise. The same question is refused again."
  },
  sso_unavailable: {
    status: 502,
    title: "The identity provider failed",
    detail: "The tenant's identity provider cannot be used as it is set up, or gave no valid answer.",
    help: "`reason` says how: `not_allowed` is an address that this server does not connect to, `unreachable` no connection in time, `no_discovery` no OpenID Connect configuration of this issuer, `refused` that the client or its secret is not accepted, `invalid_answer` an answer that does not prove who it is about."
  },
  model_failed: {
    status: 502,
    title: "The model failed",
    detail: "The model gave no whole answer.",
    help: "`reason` says how. The question and the text so far are kept under `generation_id`; ask again."
  },
  unavailable: {
    status: 503,
    title: "Temporarily unavailable",
    detail: "Something the server depends on is not available at the moment.",
    help: "Send the request again after `retry_after` seconds."
  },
  model_unavailable: {
    status: 503,
    title: "The model is not available just now",
    detail: "The model is too busy, or cannot be reached.",
    help: "Ask again after `retry_after` seconds. The text so far is kept under `generation_id`."
  },
  model_timed_out: {
    status: 504,
    title: "The model did not answer in time",
    detail: "The model said nothing, or nothing more, for too long.",
    help: "Ask again. The text so far is kept under `generation_id`."
  }
} as const satisfies Readonly<Record<string, About>>

export type ProblemCode = keyof typeof PROBLEMS

/** The type, status and title that a problem's class declares. */
export const problem = <const Code extends ProblemCode>(code: Code): Declaration<Code> => ({
  type: `/problems/${code}`,
  status: PROBLEMS[code].status,
  title: PROBLEMS[code].title
})

interface Declaration<Code extends ProblemCode> {
  readonly type: `/problems/${Code}`
  readonly status: (typeof PROBLEMS)[Code]["status"]
  readonly title: string
}
