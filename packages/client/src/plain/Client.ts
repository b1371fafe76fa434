import { Answer, type StreamOptions } from "./Answer.ts"
import { Audit } from "./Audit.ts"
import { Factors, proven, type ProofOptions } from "./Factors.ts"
import { Identities } from "./Identities.ts"
import { inMemory, SessionKeeper, type SessionStore } from "./SessionKeeper.ts"
import { type RequestOptions, Transport } from "./Transport.ts"
import type {
  About,
  AnswerUnderWay,
  ApiKey,
  ChangeConversation,
  ChangeKey,
  ChangeProviderKey,
  ChangeServiceAccount,
  ChangeTenant,
  ChangeUser,
  ContentRetention,
  ContentRetentionChoice,
  Conversation,
  CreateConversation,
  CreateKey,
  CreateProviderKey,
  CreateServiceAccount,
  CurrentKey,
  Feedback,
  Generation,
  Invitation,
  InvitationOffer,
  IsolationReport,
  LimitsInForce,
  LoginAnswer,
  LoginPlace,
  LoginProvider,
  LoginPolicy,
  LoginPolicyChoice,
  MailRequest,
  ManagedUser,
  Membership,
  Message,
  NewApiKey,
  NewTotp,
  Page,
  PageQuery,
  Profile,
  ProviderKey,
  Question,
  Role,
  SecondFactor,
  ServiceAccount,
  Session,
  SsoConnection,
  SsoConnectionChoice,
  TalkingModel,
  Tenant,
  Token,
  UsageQuery,
  UsageRow,
  User
} from "./Types.ts"

export { Answer } from "./Answer.ts"
export type { StreamOptions } from "./Answer.ts"
export { LlmSaasError } from "./LlmSaasError.ts"
export type { AuditQuery } from "./Audit.ts"
export type { ProofOptions } from "./Factors.ts"
export type { SessionStore } from "./SessionKeeper.ts"
export type { RequestOptions } from "./Transport.ts"
export type * from "./Types.ts"

export interface ClientOptions {
  /** The server's address, such as `https://api.example.com`. */
  readonly url: string | URL
  /** An access token; `login` gets one and keeps it. */
  readonly token?: string
  /** An API key (`sk-…`), instead of a token: for programs, which have no login. */
  readonly key?: string
  /** Where the refresh token of a session is kept. Default: in memory. */
  readonly sessionStore?: SessionStore
  /** Called when another login took the session's place where both are kept, in another tab say. This client is in none then. */
  readonly onSessionReplaced?: () => void
  /** Instead of the platform's `fetch`. */
  readonly fetch?: typeof fetch
}

/** Options of asking. */
export interface AskOptions extends RequestOptions {
  /** A question repeated with its key, also after a restart of the client, gets the same answer. Default: a random key. */
  readonly idempotencyKey?: string
}

/** A client of the server at `url`. Every failure is a `LlmSaasError`. */
export const createClient = ({ fetch, key, onSessionReplaced, sessionStore, token, url }: ClientOptions): Client =>
  new Client(new Transport(url, key ?? token, fetch), sessionStore, onSessionReplaced)

/** Requests of one user. */
export class Client {
  readonly #transport: Transport
  /** Whether the last login asked for a cookie: its second step has to show the same as the first. */
  #inCookie = false

  /** Second factors. */
  readonly factors: Factors
  /** Who logs in to the client's account at a provider. */
  readonly identities: Identities

  /** What was done in the tenant. For admins. */
  readonly audit: Audit

  readonly #session: SessionKeeper

  constructor(transport: Transport, store: SessionStore = inMemory(), onReplaced?: () => void) {
    this.#transport = transport
    this.#session = new SessionKeeper(transport, store, onReplaced)
    transport.session = this.#session
    this.factors = new Factors(transport)
    this.identities = new Identities(transport)
    this.audit = new Audit(transport)
  }

  /** The access token or API key requests are sent with. */
  get token(): string | undefined {
    return this.#transport.token
  }

  set token(token: string | undefined) {
    this.#transport.token = token
  }

  /** What the installation is: for pages that show something before anybody has logged in. */
  about(options?: RequestOptions): Promise<About> {
    return this.#transport.retry("GET", "/about", options)
  }

  /**
   * Gets an access token, which this client keeps. `tenant_id` is required if the email has accounts in several tenants. With `session` the client
   * renews it from then on, by a refresh token in its `sessionStore`; `cookie`: in a cookie, on pages of the server itself.
   */
  async login(
    credentials: {
      readonly email: string
      readonly password: string
      readonly tenant_id?: string
      readonly session?: boolean | "cookie"
    },
    options?: RequestOptions
  ): Promise<Token> {
    const { email, ...rest } = credentials
    const inCookie = rest.session === "cookie"
    this.#inCookie = inCookie
    const sending = {
      ...options,
      json: { username: email, ...rest },
      ...(inCookie ? IN_COOKIE : {})
    }
    return this.#session.begin(await this.#transport.alone<Token>("POST", "/login", sending))
  }

  /** Renews the access token of the session now: at the start of a page, say. Fails with `invalid_grant` if there is none any more. */
  renew({ cookie }: { readonly cookie?: boolean } = {}): Promise<Token> {
    return this.#session.renew(cookie)
  }

  /** Ends the session, and forgets the access token. */
  async logout(options?: RequestOptions): Promise<void> {
    await this.#transport.alone("POST", "/logout", { ...options, ...(await this.#session.sending()) })
    await this.#session.forget()
  }

  /** Where the client's user is logged in. */
  readonly sessions = {
    /** Newest first; `current` is this client's. */
    list: (query?: PageQuery, options?: RequestOptions): Promise<Page<Session>> =>
      this.#transport.retry("GET", "/me/sessions", { ...options, query: { ...query } }),
    end: (id: string, options?: RequestOptions): Promise<void> =>
      this.#transport.done("DELETE", `/me/sessions/${encode(id)}`, options),
    /** All but this client's. */
    endOthers: (options?: RequestOptions): Promise<void> => this.#transport.done("DELETE", "/me/sessions", options),
    /** Those of a user of the tenant. For admins. */
    ofUser: (tenant: string, user: string, query?: PageQuery, options?: RequestOptions): Promise<Page<Session>> =>
      this.#transport.retry("GET", `/tenants/${encode(tenant)}/users/${encode(user)}/sessions`, {
        ...options,
        query: { ...query }
      }),
    /** One of a user, or all of them. For admins. */
    endOfUser: (tenant: string, user: string, session?: string, options?: RequestOptions): Promise<void> =>
      this.#transport.done(
        "DELETE",
        `/tenants/${encode(tenant)}/users/${encode(user)}/sessions${session === undefined ? "" : `/${encode(session)}`}`,
        options
      )
  }

  /** The person's accounts in other tenants. */
  readonly memberships = {
    list: async (options?: RequestOptions): Promise<ReadonlyArray<Membership>> =>
      (await this.#transport.retry<{ readonly data: ReadonlyArray<Membership> }>("GET", "/me/tenants", options)).data,
    /** Adds a tenant, by the password of the account there. */
    add: async (
      account: { readonly tenant_id: string; readonly password: string },
      options?: RequestOptions
    ): Promise<ReadonlyArray<Membership>> =>
      (
        await this.#transport.send<{ readonly data: ReadonlyArray<Membership> }>("POST", "/me/tenants", {
          ...options,
          json: account
        })
      ).data,
    /** A new session of the account in this tenant, for another client. */
    open: (tenant: string, options?: RequestOptions): Promise<Token> =>
      this.#transport.send("POST", `/me/tenants/${encode(tenant)}/session`, options),
    /**
     * Goes on as the account in this tenant: its session takes the place of this client's, in the cookie for pages of the server itself. An
     * account with a second factor fails with `second_factor_required`, as a login does.
     */
    enter: async (
      tenant: string,
      { cookie = false, ...options }: RequestOptions & { readonly cookie?: boolean } = {}
    ): Promise<Token> => {
      this.#inCookie = cookie
      const path = `/me/tenants/${encode(tenant)}/session`
      const sending = cookie ? { ...options, ...IN_COOKIE, json: { session: "cookie" } } : options
      return this.#session.begin(await this.#transport.send<Token>("POST", path, sending))
    }
  }

  /**
   * The second step of a login that failed with `second_factor_required`: its `problem` has the `challenge`. With {@link enrolTotp} before,
   * where it names no `methods`. `cookie`: the first step was not this client's, and asked for a cookie, as single sign-on in a browser does.
   */
  async secondFactor(
    given: SecondFactor,
    { cookie = this.#inCookie, ...options }: RequestOptions & { readonly cookie?: boolean } = {}
  ): Promise<LoginAnswer> {
    const sending = { ...options, json: given, ...(cookie ? IN_COOKIE : {}) }
    return this.#session.begin(await this.#transport.alone<LoginAnswer>("POST", "/login/second-factor", sending))
  }

  /** One-time codes for a login whose account must have a second factor, and has none. */
  enrolTotp(challenge: string, options?: RequestOptions): Promise<NewTotp> {
    return this.#transport.send("POST", "/login/second-factor/totp", { ...options, json: { challenge } })
  }

  /** Creates an account. The first one of a tenant is its admin. */
  register(
    account: { readonly email: string; readonly password: string; readonly tenant_id: string },
    options?: RequestOptions
  ): Promise<User> {
    return this.#transport.send("POST", "/register", { ...options, json: account })
  }

  /** The client's user, as the server has it now. */
  me(options?: RequestOptions): Promise<Profile> {
    return this.#transport.retry("GET", "/me", options)
  }

  /** Revokes all earlier tokens; this client keeps the new one. An account with a second factor sends a proof. */
  async changePassword(
    change: { readonly current_password: string; readonly new_password: string },
    options?: ProofOptions
  ): Promise<Token> {
    return this.#session.keep(await this.#transport.send("POST", "/me/password", { ...proven(options), json: change }))
  }

  /** Links in mails: forgotten passwords, and the address of the account. Asking for a mail tells nothing of whether there is an account. */
  readonly mail = {
    /** Sends a link to choose a new password. Without `tenant_id`, one for each account of the address. */
    askReset: (request: MailRequest, options?: RequestOptions): Promise<void> =>
      this.#transport.send("POST", "/password/reset", { ...options, json: request }),
    /** Chooses a new password by the token of a link. */
    reset: (
      reset: { readonly token: string; readonly new_password: string },
      options?: RequestOptions
    ): Promise<void> => this.#transport.send("POST", "/password/reset/confirm", { ...options, json: reset }),
    /** Sends a link that verifies the address, for people who cannot log in without. */
    askVerification: (request: MailRequest, options?: RequestOptions): Promise<void> =>
      this.#transport.send("POST", "/email/verification", { ...options, json: request }),
    /** Verifies an address by the token of a link, and the account's password, where it has one. */
    verify: (link: { readonly token: string; readonly password?: string }, options?: RequestOptions): Promise<void> =>
      this.#transport.send("POST", "/email/verify", { ...options, json: link }),
    /** Gives the account its new address by the token of a link. */
    confirmEmail: (token: string, options?: RequestOptions): Promise<void> =>
      this.#transport.send("POST", "/email/change", { ...options, json: { token } }),
    /** Sends a link that verifies the client's own address. */
    sendVerification: (options?: RequestOptions): Promise<void> =>
      this.#transport.send("POST", "/me/email/verify", options),
    /** Sends a link to the new address of the client's own account. */
    changeEmail: (
      change: { readonly email: string; readonly password: string },
      options?: ProofOptions
    ): Promise<void> => this.#transport.send("POST", "/me/email", { ...proven(options), json: change })
  }

  readonly tenants = {
    /** Creates an empty tenant. */
    create: (tenant: { readonly name: string }, options?: RequestOptions): Promise<Tenant> =>
      this.#transport.send("POST", "/create-tenant", { ...options, json: tenant }),
    /** Its name, and whether people may register. For admins. */
    change: (id: string, change: ChangeTenant, options?: RequestOptions): Promise<Tenant> =>
      this.#transport.retry("PATCH", `/tenants/${encode(id)}`, { ...options, json: change }),
    /** What the tenant keeps of questions and answers. For admins. */
    retention: (id: string, options?: RequestOptions): Promise<ContentRetention> =>
      this.#transport.retry("GET", `/tenants/${encode(id)}/retention`, options),
    changeRetention: (
      id: string,
      choice: ContentRetentionChoice,
      options?: RequestOptions
    ): Promise<ContentRetention> =>
      this.#transport.retry("PUT", `/tenants/${encode(id)}/retention`, { ...options, json: choice }),
    /** What is asked of logins. For admins. */
    loginPolicy: (id: string, options?: RequestOptions): Promise<LoginPolicy> =>
      this.#transport.retry("GET", `/tenants/${encode(id)}/login-policy`, options),
    changeLoginPolicy: (id: string, policy: LoginPolicyChoice, options?: ProofOptions): Promise<LoginPolicy> =>
      this.#transport.retry("PUT", `/tenants/${encode(id)}/login-policy`, { ...proven(options), json: policy }),
    /** The tenant's users. For admins. */
    users: (id: string, query?: PageQuery, options?: RequestOptions): Promise<Page<ManagedUser>> =>
      this.#transport.retry("GET", `/tenants/${encode(id)}/users`, { ...options, query: { ...query } }),
    /** Checks now that the tenant is isolated from the others, and reports the result. For admins. */
    isolation: (id: string, options?: RequestOptions): Promise<IsolationReport> =>
      this.#transport.retry("GET", `/tenants/${encode(id)}/isolation-report`, options)
  }

  readonly invitations = {
    /** Sends a link to the address. An open invitation of it is changed, and its earlier link ends. For admins. */
    create: (
      tenantId: string,
      invitation: { readonly email: string; readonly role?: Role },
      { idempotencyKey, ...options }: RequestOptions & { readonly idempotencyKey?: string } = {}
    ): Promise<Invitation> =>
      this.#transport.send("POST", `/tenants/${encode(tenantId)}/invitations`, {
        ...options,
        json: invitation,
        ...(idempotencyKey === undefined ? {} : { headers: { "idempotency-key": idempotencyKey } })
      }),
    /** Newest first, whatever came of them. For admins. */
    list: (tenantId: string, query?: PageQuery, options?: RequestOptions): Promise<Page<Invitation>> =>
      this.#transport.retry("GET", `/tenants/${encode(tenantId)}/invitations`, { ...options, query: { ...query } }),
    /** With a new link; the earlier one ends. For admins. */
    resend: (tenantId: string, id: string, options?: RequestOptions): Promise<Invitation> =>
      this.#transport.send("POST", `/tenants/${encode(tenantId)}/invitations/${encode(id)}/resend`, options),
    /** Its link ends. For admins. */
    revoke: (tenantId: string, id: string, options?: RequestOptions): Promise<void> =>
      this.#transport.done("DELETE", `/tenants/${encode(tenantId)}/invitations/${encode(id)}`, options),
    /** What a link offers: its token stands behind `#token=`. */
    look: (token: string, options?: RequestOptions): Promise<InvitationOffer> =>
      this.#transport.retry("POST", "/invitations/look", { ...options, json: { token } }),
    /** Makes the account and logs in; this client keeps the token. `session` as in {@link login}. */
    accept: async (
      acceptance: { readonly token: string; readonly password: string; readonly session?: boolean | "cookie" },
      options?: RequestOptions
    ): Promise<Token> => {
      this.#inCookie = acceptance.session === "cookie"
      const sending = { ...options, json: acceptance, ...(this.#inCookie ? IN_COOKIE : {}) }
      return this.#session.begin(await this.#transport.alone<Token>("POST", "/invitations/accept", sending))
    }
  }

  readonly messages = {
    /** Asks, and waits for the whole answer. Retries do not ask the model again. */
    ask: (question: Question, { idempotencyKey = uuid(), ...options }: AskOptions = {}): Promise<Message> =>
      this.#transport.retry("POST", "/messages", {
        ...options,
        json: question,
        headers: { "idempotency-key": idempotencyKey }
      }),
    /** Asks, and streams the answer: see {@link Answer}. The request is sent when the answer is read. */
    stream: (question: Question, { idempotencyKey = uuid(), ...options }: AskOptions & StreamOptions = {}): Answer =>
      new Answer(
        this.#transport,
        { method: "POST", path: "/messages/stream", json: question, headers: { "idempotency-key": idempotencyKey } },
        options
      ),
    /**
     * Newest first. `scope: "tenant"` lists those of all users, for admins. `search`: those of one's own with this text, whose pages may be
     * short, or empty, and have a next one.
     */
    list: (
      query?: PageQuery & { readonly scope?: "own" | "tenant"; readonly search?: string },
      options?: RequestOptions
    ): Promise<Page<Message>> => this.#transport.retry("GET", "/messages", { ...options, query: { ...query } }),
    get: (id: string, options?: RequestOptions): Promise<Message> =>
      this.#transport.retry("GET", `/messages/${encode(id)}`, options),
    /** Deletes it with its answer; a running answer is stopped. */
    remove: (id: string, options?: RequestOptions): Promise<void> =>
      this.#transport.done("DELETE", `/messages/${encode(id)}`, options),
    /** Rates an answer: 1 or -1, or a number on the client's own scale. A new rating replaces the old one. */
    feedback: (
      id: string,
      opinion: { readonly rating: number; readonly comment?: string | null },
      options?: RequestOptions
    ): Promise<Feedback> =>
      this.#transport.retry("POST", `/messages/${encode(id)}/feedback`, { ...options, json: opinion })
  }

  readonly conversations = {
    /** `model` and `system` are for its questions that have none of their own. */
    create: (conversation: CreateConversation = {}, options?: RequestOptions): Promise<Conversation> =>
      this.#transport.send("POST", "/conversations", { ...options, json: conversation }),
    /** Newest first. */
    list: (query?: PageQuery, options?: RequestOptions): Promise<Page<Conversation>> =>
      this.#transport.retry("GET", "/conversations", { ...options, query: { ...query } }),
    get: (id: string, options?: RequestOptions): Promise<Conversation> =>
      this.#transport.retry("GET", `/conversations/${encode(id)}`, options),
    /** `null` removes the title. */
    rename: (id: string, title: string | null, options?: RequestOptions): Promise<Conversation> =>
      this.#transport.retry("PATCH", `/conversations/${encode(id)}`, { ...options, json: { title } }),
    /** What is left out stays; `null` takes it away. */
    change: (id: string, change: ChangeConversation, options?: RequestOptions): Promise<Conversation> =>
      this.#transport.retry("PATCH", `/conversations/${encode(id)}`, { ...options, json: change }),
    /** Deletes it with all its messages. */
    remove: (id: string, options?: RequestOptions): Promise<void> =>
      this.#transport.done("DELETE", `/conversations/${encode(id)}`, options),
    /** Newest first. */
    messages: (id: string, query?: PageQuery, options?: RequestOptions): Promise<Page<Message>> =>
      this.#transport.retry("GET", `/conversations/${encode(id)}/messages`, { ...options, query: { ...query } })
  }

  readonly generations = {
    /** Answers under way, newest first. `scope: "tenant"` lists those of all users, for admins. */
    list: (
      query?: PageQuery & { readonly scope?: "own" | "tenant" },
      options?: RequestOptions
    ): Promise<Page<AnswerUnderWay>> =>
      this.#transport.retry("GET", "/generations", { ...options, query: { ...query } }),
    /** An answer's status, and its text so far. */
    get: (id: string, options?: RequestOptions): Promise<Generation> =>
      this.#transport.retry("GET", `/generations/${encode(id)}`, options),
    /** Stops an answer; its text so far is kept. Admins stop those of all users. */
    cancel: (id: string, options?: RequestOptions): Promise<Generation> =>
      this.#transport.retry("POST", `/generations/${encode(id)}/cancel`, options),
    /** Says what an answer was worth, by its id here or under `/v1` (`chatcmpl-…`). It replaces the user's earlier opinion. */
    feedback: (
      id: string,
      opinion: { readonly rating: number; readonly comment?: string | null },
      options?: RequestOptions
    ): Promise<Feedback> =>
      this.#transport.retry("POST", `/generations/${encode(id)}/feedback`, { ...options, json: opinion }),
    /** Follows an answer after the token `after`: by default from its beginning. */
    watch: (id: string, { after = 0, ...options }: StreamOptions & { readonly after?: number } = {}): Answer =>
      new Answer(
        this.#transport,
        { method: "GET", path: `/generations/${encode(id)}/stream`, headers: {}, place: `${id}:${after}` },
        options
      )
  }

  readonly keys = {
    /** Makes an API key. `key`, the whole key, is in this answer and nowhere else. `owner`: the id of a service account, for admins. */
    create: (
      key: CreateKey,
      { idempotencyKey, ...options }: RequestOptions & { readonly idempotencyKey?: string } = {}
    ): Promise<NewApiKey> =>
      this.#transport.send("POST", "/keys", {
        ...options,
        json: key,
        ...(idempotencyKey === undefined ? {} : { headers: { "idempotency-key": idempotencyKey } })
      }),
    /** Newest first, without secrets. `scope: "tenant"` lists those of all users and service accounts, for admins. */
    list: (
      query?: PageQuery & { readonly scope?: "own" | "tenant" },
      options?: RequestOptions
    ): Promise<Page<ApiKey>> => this.#transport.retry("GET", "/keys", { ...options, query: { ...query } }),
    get: (id: string, options?: RequestOptions): Promise<ApiKey> =>
      this.#transport.retry("GET", `/keys/${encode(id)}`, options),
    change: (id: string, change: ChangeKey, options?: RequestOptions): Promise<ApiKey> =>
      this.#transport.retry("PATCH", `/keys/${encode(id)}`, { ...options, json: change }),
    /** It is refused from its very next request on. */
    remove: (id: string, options?: RequestOptions): Promise<void> =>
      this.#transport.done("DELETE", `/keys/${encode(id)}`, options),
    /** A new secret; the old one works for `grace_seconds` more. */
    rotate: (
      id: string,
      rotation: { readonly grace_seconds?: number } = {},
      options?: RequestOptions
    ): Promise<NewApiKey> => this.#transport.send("POST", `/keys/${encode(id)}/rotate`, { ...options, json: rotation }),
    /** The key of this client: what it may, and what was asked with it. */
    current: (options?: RequestOptions): Promise<CurrentKey> => this.#transport.retry("GET", "/v1/key", options)
  }

  /** The models that this client may talk to, without those for embeddings. */
  async models(options?: RequestOptions): Promise<ReadonlyArray<TalkingModel>> {
    // Anthropic's form of the list has only models to talk to.
    const sending = { ...options, query: { limit: 1000 }, headers: { "anthropic-version": "2023-06-01" } }
    return (await this.#transport.retry<{ readonly data: ReadonlyArray<TalkingModel> }>("GET", "/v1/models", sending))
      .data
  }

  /** The limits and budgets under which this client asks, and what is left of them. */
  limits(options?: RequestOptions): Promise<LimitsInForce> {
    return this.#transport.retry("GET", "/limits", options)
  }

  /** The same for another user, or for a key. Of anybody in the tenant for admins, of oneself and one's own keys for others. */
  limitsOf(
    whom: { readonly user: string } | { readonly key: string },
    options?: RequestOptions
  ): Promise<LimitsInForce> {
    return this.#transport.retry("GET", "/limits", { ...options, query: { ...whom } })
  }

  /** What was used, and what it cost: by default the user's own, from the first of this month to today. */
  readonly usage = {
    /** Sums of whole days in UTC, by what `group_by` names. `scope: "tenant"` has all users, for admins. */
    report: ({ group_by, ...query }: UsageQuery = {}, options?: RequestOptions): Promise<Page<UsageRow>> =>
      this.#transport.retry("GET", "/usage", { ...options, query: { ...query, group_by: group_by?.join(",") } }),
    /** Each answer and correction with its cost, a line each, as the server sends them: JSON lines or a table. */
    export: (
      query: Pick<UsageQuery, "from" | "to" | "scope"> & { readonly format?: "jsonl" | "csv" } = {},
      options?: RequestOptions
    ): Promise<Response> => this.#transport.open("GET", "/usage/export", { ...options, query: { ...query } })
  }

  /** The tenant's own keys at providers. For admins. */
  readonly providerKeys = {
    /** From then on the tenant's questions to the provider are asked with it. No answer shows it. */
    create: (
      key: CreateProviderKey,
      { idempotencyKey, ...options }: RequestOptions & { readonly idempotencyKey?: string } = {}
    ): Promise<ProviderKey> =>
      this.#transport.send("POST", "/provider-keys", {
        ...options,
        json: key,
        ...(idempotencyKey === undefined ? {} : { headers: { "idempotency-key": idempotencyKey } })
      }),
    /** Newest first, without the keys. */
    list: (query?: PageQuery, options?: RequestOptions): Promise<Page<ProviderKey>> =>
      this.#transport.retry("GET", "/provider-keys", { ...options, query: { ...query } }),
    change: (id: string, change: ChangeProviderKey, options?: RequestOptions): Promise<ProviderKey> =>
      this.#transport.retry("PATCH", `/provider-keys/${encode(id)}`, { ...options, json: change }),
    remove: (id: string, options?: RequestOptions): Promise<void> =>
      this.#transport.done("DELETE", `/provider-keys/${encode(id)}`, options)
  }

  /** Single sign-on of a tenant. For admins, but for `find`. */
  readonly sso = {
    get: (tenant: string, options?: RequestOptions): Promise<SsoConnection> =>
      this.#transport.retry("GET", `/tenants/${encode(tenant)}/sso`, options),
    put: (tenant: string, choice: SsoConnectionChoice, options?: RequestOptions): Promise<SsoConnection> =>
      this.#transport.retry("PUT", `/tenants/${encode(tenant)}/sso`, { ...options, json: choice }),
    remove: (tenant: string, options?: RequestOptions): Promise<void> =>
      this.#transport.done("DELETE", `/tenants/${encode(tenant)}/sso`, options),
    /** Whether the provider is there. */
    test: (tenant: string, options?: RequestOptions): Promise<void> =>
      this.#transport.done("POST", `/tenants/${encode(tenant)}/sso/test`, options),
    /** Looks for the domain's proof in DNS. */
    proveDomain: (tenant: string, domain: string, options?: RequestOptions): Promise<SsoConnection> =>
      this.#transport.send("POST", `/tenants/${encode(tenant)}/sso/domains/${encode(domain)}/prove`, options),
    /** Where people with this address log in. */
    find: (email: string, options?: RequestOptions): Promise<LoginPlace> =>
      this.#transport.retry("GET", "/login", { ...options, query: { email } }),
    /** Providers for all tenants, for the buttons of a login form. */
    providers: async (options?: RequestOptions): Promise<ReadonlyArray<LoginProvider>> =>
      (await this.#transport.retry<{ readonly data: ReadonlyArray<LoginProvider> }>("GET", "/sso/providers", options))
        .data
  }

  /** Owners of keys who are no people. For admins. */
  readonly serviceAccounts = {
    create: (account: CreateServiceAccount, options?: RequestOptions): Promise<ServiceAccount> =>
      this.#transport.send("POST", "/service-accounts", { ...options, json: account }),
    /** Newest first. */
    list: (query?: PageQuery, options?: RequestOptions): Promise<Page<ServiceAccount>> =>
      this.#transport.retry("GET", "/service-accounts", { ...options, query: { ...query } }),
    get: (id: string, options?: RequestOptions): Promise<ServiceAccount> =>
      this.#transport.retry("GET", `/service-accounts/${encode(id)}`, options),
    /** What all of its keys together may use. */
    change: (id: string, change: ChangeServiceAccount, options?: RequestOptions): Promise<ServiceAccount> =>
      this.#transport.retry("PATCH", `/service-accounts/${encode(id)}`, { ...options, json: change }),
    /** With its keys and everything else that belongs to it. */
    remove: (id: string, options?: RequestOptions): Promise<void> =>
      this.#transport.done("DELETE", `/service-accounts/${encode(id)}`, options)
  }

  readonly admin = {
    createUser: (
      user: { readonly email: string; readonly password: string; readonly role?: Role },
      options?: RequestOptions
    ): Promise<User> => this.#transport.send("POST", "/admin/users", { ...options, json: user }),
    /** With the limits and the budget of their own. */
    user: (id: string, options?: RequestOptions): Promise<ManagedUser> =>
      this.#transport.retry("GET", `/admin/users/${encode(id)}`, options),
    changeUser: (id: string, change: ChangeUser, options?: RequestOptions): Promise<ManagedUser> =>
      this.#transport.retry("PATCH", `/admin/users/${encode(id)}`, { ...options, json: change }),
    deleteUser: (id: string, options?: RequestOptions): Promise<void> =>
      this.#transport.done("DELETE", `/admin/users/${encode(id)}`, options)
  }
}

const encode = encodeURIComponent

/** What a request for a session in a cookie shows: no page of another origin can send it. */
const IN_COOKIE = { headers: { "x-csrf": "1" } }

/** A UUID. Browsers have no `randomUUID` on pages loaded over plain HTTP. */
const uuid = (): string => {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}
