import { assert, layer } from "@effect/vitest"
import { Rpcs } from "@llm-saas/api/Rpcs"
import type { StreamEvent } from "@llm-saas/api/StreamEvent"
import { KeyId } from "@llm-saas/domain/ApiKey"
import { ConversationId } from "@llm-saas/domain/Conversation"
import { FactorId } from "@llm-saas/domain/Factor"
import { SsoIdentityId } from "@llm-saas/domain/SsoIdentity"
import { GenerationId, Seq } from "@llm-saas/domain/Generation"
import { MessageId } from "@llm-saas/domain/Message"
import { CreatedPasskey } from "@llm-saas/domain/Passkey"
import { MailDomain, Slug } from "@llm-saas/domain/SingleSignOn"
import { ProviderKeyId } from "@llm-saas/domain/ProviderKey"
import { TenantId } from "@llm-saas/domain/Tenant"
import { type Email, UserId } from "@llm-saas/domain/User"
import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { SessionId } from "@llm-saas/domain/Session"
import { Effect, Fiber, Latch, Redacted, Schema, Stream } from "effect"
import { randomUUID } from "node:crypto"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { linkTo } from "../Links.ts"
import { signUp } from "../People.ts"
import { Running, running } from "../Running.ts"
import { SoftwareAuthenticator } from "../SoftwareAuthenticator.ts"
import { codeAt } from "../Totp.ts"
import { caller, type Client, type Transport } from "./Callers.ts"

const TRANSPORTS: ReadonlyArray<Transport> = ["http", "websocket"]
const secret = (text: string) => Redacted.make(text)
const email = (name: string): Email =>
  Schema.decodeUnknownSync(Schema.String.pipe(Schema.brand("Email")))(`${name}-${randomUUID()}@acme.test`)
const textOf = (events: ReadonlyArray<StreamEvent>) =>
  events.map((event) => (event.type === "delta" ? event.text : "")).join("")
const seqsOf = (events: ReadonlyArray<StreamEvent>) =>
  events.flatMap((event) => (event.type === "delta" ? [event.seq] : []))

const execute = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows
})

/** Notes which calls were made. */
const noting = (client: Client, made: Set<string>): Client =>
  new Proxy(client, { get: (target, tag) => (made.add(String(tag)), Reflect.get(target, tag)) })

/** An answer of two seconds. */
const SLOW = `[[mock {"tokens": 100, "delay": 20}]]`

/** The mock, which takes keys of tenants here. */
const PROVIDERS_FILE = join(mkdtempSync(join(tmpdir(), "llm-saas-test-")), "providers.json")
writeFileSync(
  PROVIDERS_FILE,
  JSON.stringify({
    providers: { mock: { type: "mock", key: "prefer_tenant" } },
    models: { "mock-1": { targets: [{ provider: "mock" }] } }
  })
)

const TOOLS = [{ name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } }]

layer(
  Running.with({
    PROVIDERS_FILE,
    MOCK_TOKENS: "8",
    MOCK_TTFT_MS: "0",
    MOCK_DELAY_MS: "0",
    STREAM_GRACE_SECONDS: "0"
  }),
  { timeout: "60 seconds" }
)("calls", (it) => {
  for (const transport of TRANSPORTS)
    it.effect(`by ${transport} are the HTTP contract once more: each of them, made once`, () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const made = new Set<string>()
        const nobody = noting(yield* caller(transport, port), made)
        const tenant = yield* nobody["tenants.create"]({ name: "Acme Corp" })
        const address = email("admin")
        const admin = yield* nobody["accounts.register"]({
          email: address,
          password: secret("password123"),
          tenant_id: tenant.id
        })
        assert.deepInclude(admin, { role: "admin", tenant_id: tenant.id, email: address })
        const first = yield* nobody["accounts.login"]({ username: address, password: secret("password123") })
        assert.deepInclude(first, { token_type: "bearer", expires_in: 3600 })
        // A second later: a password ends the tokens of the second it was changed in.
        const changed = yield* noting(yield* caller(transport, port, first.access_token), made)[
          "accounts.changePassword"
        ]({
          current_password: secret("password123"),
          new_password: secret("correct horse battery staple")
        })
        const client = noting(yield* caller(transport, port, changed.access_token), made)
        const me = yield* client["accounts.me"]()
        assert.deepStrictEqual([me.id, me.tenant], [admin.id, tenant])

        const closed = yield* client["tenants.change"]({ id: tenant.id, registration: "closed" })
        assert.strictEqual(closed.registration, "closed")
        const colleague = yield* client["admin.createUser"]({ email: email("bob"), password: secret("password123") })
        assert.strictEqual(colleague.role, "user")
        const promoted = yield* client["admin.changeUser"]({ id: colleague.id, role: "admin" })
        assert.strictEqual(promoted.role, "admin")
        assert.deepStrictEqual(yield* client["admin.user"]({ id: colleague.id }), promoted)
        const page = yield* client["tenants.users"]({ id: tenant.id, limit: 1 })
        assert.deepStrictEqual(page.data, [promoted])
        const rest = yield* client["tenants.users"]({ id: tenant.id, limit: 1, cursor: page.next_cursor ?? "" })
        assert.deepStrictEqual([rest.data[0]?.id, rest.next_cursor], [admin.id, null])
        yield* client["admin.deleteUser"]({ id: colleague.id })

        const invited = yield* client["invitations.create"]({ id: tenant.id, email: email("carol"), role: "admin" })
        assert.deepInclude(invited, { status: "pending", role: "admin" })
        const invitation = { id: tenant.id, invitation: invited.id }
        yield* client["invitations.resend"](invitation)
        const link = { token: secret(yield* linkTo(invited.email)) }
        assert.strictEqual((yield* nobody["invitations.look"](link)).email, invited.email)
        const accepted = yield* nobody["invitations.accept"]({ ...link, password: secret("correct horse battery") })
        const carol = yield* noting(yield* caller(transport, port, accepted.access_token), made)["accounts.me"]()
        assert.deepInclude(carol, { email: invited.email, role: "admin" })
        const invitations = yield* client["invitations.list"]({ id: tenant.id })
        assert.deepStrictEqual(
          invitations.data.map(({ status, user_id }) => [status, user_id]),
          [["accepted", carol.id]]
        )
        assert.deepInclude(yield* Effect.flip(client["invitations.revoke"](invitation)), { code: "invitation_ended" })

        const password = secret("correct horse battery staple")
        const lasted = yield* nobody["accounts.login"]({ username: address, password, session: true })
        const renewed = yield* nobody["sessions.renew"]({ refresh_token: lasted.refresh_token ?? "" })
        const lasting = noting(yield* caller(transport, port, renewed.access_token), made)
        const sessions = yield* lasting["sessions.list"]({})
        assert.deepStrictEqual(
          sessions.data.map(({ current, id }) => [current, id]),
          [[true, lasted.session_id]]
        )
        yield* lasting["sessions.endOthers"]()
        const unknown = SessionId.make(randomUUID())
        const ofMe = { id: tenant.id, user: me.id }
        for (const end of [
          lasting["sessions.end"]({ id: unknown }),
          client["sessions.endOfUser"]({ ...ofMe, session: unknown })
        ])
          assert.deepInclude(yield* Effect.flip(end), { code: "session_not_found" })
        assert.lengthOf((yield* client["sessions.ofUser"](ofMe)).data, 1)
        const beta = yield* nobody["tenants.create"]({ name: "Beta Corp" })
        const there = { tenant_id: beta.id, password: secret("another long one") }
        yield* nobody["accounts.register"]({ ...there, email: address })
        const memberships = yield* lasting["memberships.add"](there)
        assert.deepStrictEqual(
          memberships.data.map(({ tenant_id }) => tenant_id),
          [tenant.id, beta.id]
        )
        assert.deepStrictEqual(yield* lasting["memberships.list"](), memberships)
        assert.isDefined((yield* lasting["memberships.open"]({ id: beta.id })).refresh_token)
        yield* nobody["sessions.logout"]({ refresh_token: renewed.refresh_token ?? "" })
        assert.strictEqual((yield* Effect.flip(lasting["accounts.me"]()))._tag, "Unauthenticated")
        yield* client["sessions.endAllOfUser"](ofMe)

        const gamma = yield* nobody["tenants.create"]({ name: "Gamma Corp" })
        const dora = { email: email("dora"), tenant_id: gamma.id }
        const linkFor = (address: string) => Effect.map(linkTo(address), (token) => ({ token: secret(token) }))
        yield* nobody["accounts.register"]({ ...dora, password: secret("password123") })
        yield* nobody["mail.askVerification"](dora)
        yield* nobody["mail.verify"]({ ...(yield* linkFor(dora.email)), password: secret("password123") })
        yield* nobody["mail.askReset"](dora)
        const chosen = secret("a long and quiet river")
        yield* nobody["mail.reset"]({ ...(yield* linkFor(dora.email)), new_password: chosen })
        const reset = yield* nobody["accounts.login"]({ username: dora.email, password: chosen })
        const owner = noting(yield* caller(transport, port, reset.access_token), made)
        yield* owner["mail.sendVerification"]()
        const moved = email("dora")
        yield* owner["mail.changeEmail"]({ email: moved, password: chosen })
        yield* nobody["mail.confirmEmail"](yield* linkFor(moved))
        assert.strictEqual((yield* owner["accounts.me"]()).email, moved)
        const connection = yield* owner["sso.put"]({
          id: gamma.id,
          slug: Slug.make(`gamma-${randomUUID().slice(0, 8)}`),
          issuer: "http://127.0.0.1:9",
          client_id: "llm-saas",
          domains: [MailDomain.make("gamma.test")]
        })
        assert.deepInclude(connection, { status: "active", has_secret: false })
        assert.deepStrictEqual(yield* owner["sso.get"]({ id: gamma.id }), connection)
        assert.isNull((yield* nobody["sso.find"]({ email: moved })).login_url)
        assert.deepStrictEqual((yield* nobody["sso.providers"]()).data, [])
        const tried = yield* Effect.flip(owner["sso.test"]({ id: gamma.id }))
        assert.deepInclude(tried, { code: "sso_unavailable" })
        const foreign = { id: gamma.id, domain: MailDomain.make("other.test") }
        assert.deepInclude(yield* Effect.flip(owner["sso.proveDomain"](foreign)), { code: "domain_unproven" })
        yield* owner["sso.remove"]({ id: gamma.id })

        const conversation = yield* client["conversations.create"]({})
        const message = yield* client["messages.ask"]({ content: "What is a room?", conversation_id: conversation.id })
        assert.deepInclude(message, { status: "completed", tokens_out: 8, content: "What is a room?" })
        assert.strictEqual((yield* client["conversations.get"]({ id: conversation.id })).title, "What is a room?")
        const renamed = yield* client["conversations.rename"]({ id: conversation.id, title: "Rooms" })
        assert.deepStrictEqual((yield* client["conversations.list"]({})).data, [renamed])
        const said = yield* client["conversations.messages"]({ id: conversation.id })
        assert.deepStrictEqual(said.data, [message])
        assert.deepStrictEqual(yield* client["messages.get"]({ id: message.id }), message)
        const opinion = yield* client["messages.feedback"]({ id: message.id, rating: 1 })
        assert.deepInclude(opinion, { message_id: message.id, rating: 1, comment: null })
        const log = yield* client["audit.list"]({ id: tenant.id, type: "tenant.", limit: 1 })
        assert.deepInclude(log.data[0]?.actor, { kind: "user", id: admin.id, email: address })
        assert.deepInclude(yield* client["tenants.isolation"]({ id: tenant.id }), { findings: [], ok: true })
        const kept30 = yield* client["tenants.changeRetention"]({
          id: tenant.id,
          retention: { content: "days", days: 30 }
        })
        assert.deepStrictEqual(yield* client["tenants.retention"]({ id: tenant.id }), kept30)
        assert.deepStrictEqual((yield* client["messages.list"]({ scope: "tenant" })).data, [message])
        assert.deepStrictEqual((yield* client["messages.list"]({ search: "IS A ROOM" })).data, [message])
        const refused = yield* Effect.flip(client["messages.list"]({ search: "room", scope: "tenant" }))
        assert.strictEqual(refused._tag, "InvalidRequest")

        const events = yield* Stream.runCollect(client["messages.stream"]({ content: "And now?" }))
        const [start] = events
        const id = start?.type === "start" ? start.generation_id : assert.fail("no start")
        assert.deepStrictEqual(
          events.map(({ type }) => type),
          ["start", ...new Array<"delta">(8).fill("delta"), "usage", "end"]
        )
        const generation = yield* client["generations.get"]({ id })
        assert.deepInclude(generation, { status: "completed", text: textOf(events), seq: Seq.make(8) })
        assert.deepStrictEqual(yield* client["generations.cancel"]({ id }), generation)
        assert.deepStrictEqual((yield* client["generations.list"]({ scope: "tenant" })).data, [])
        assert.deepInclude(yield* client["generations.feedback"]({ id, rating: -1 }), { rating: -1 })
        const again = yield* Stream.runCollect(client["generations.watch"]({ id, after: Seq.make(5) }))
        assert.deepStrictEqual(again, [start, ...events.slice(6)])
        // No end is invented behind the answer's own.
        for (const beyond of [
          client["generations.watch"]({ id, after: Seq.make(10) }),
          client["messages.stream"]({ content: "x", resume: { generation_id: id, seq: Seq.make(9999) } })
        ])
          assert.deepInclude(yield* Effect.flip(Stream.runDrain(beyond)), { code: "invalid_request" })
        // RPC shows the same as HTTP.
        const shown = yield* send("GET", `/messages/${message.id}`, { token: changed.access_token })
        assert.deepInclude(shown.body, { id: message.id, response: message.response })
        assert.deepStrictEqual(
          yield* execute(`select distinct source from app.generations where user_id = '${me.id}'`),
          [{ source: "rpc" }]
        )

        const account = yield* client["serviceAccounts.create"]({ name: "nightly" })
        assert.deepStrictEqual((yield* client["serviceAccounts.list"]({})).data, [account])
        assert.deepStrictEqual(yield* client["serviceAccounts.get"]({ id: account.id }), account)
        const limited = yield* client["serviceAccounts.change"]({ id: account.id, limits: { concurrent: 3 } })
        assert.strictEqual(limited.limits.concurrent, 3)
        const key = yield* client["keys.create"]({ name: "bot", owner: account.id, scopes: ["chat"] })
        const program = noting(yield* caller(transport, port, key.key ?? ""), made)
        assert.strictEqual((yield* program["keys.current"]()).id, key.id)
        assert.deepStrictEqual(
          (yield* program["limits.mine"]({})).data.map(({ concurrent, scope }) => [scope, concurrent]),
          [["user", { limit: 3, running: 0, remaining: 3 }]]
        )
        assert.strictEqual((yield* client["keys.change"]({ id: key.id, name: "robot" })).name, "robot")
        const rotated = yield* client["keys.rotate"]({ id: key.id, grace_seconds: 0 })
        assert.deepStrictEqual([rotated.id, rotated.name, rotated.key === key.key], [key.id, "robot", false])
        assert.strictEqual((yield* Effect.flip(program["keys.current"]()))._tag, "Unauthenticated")
        const listed = yield* client["keys.list"]({ scope: "tenant" })
        const kept = yield* client["keys.get"]({ id: key.id })
        // Noted in the background, and perhaps between the two.
        const unused = { last_used_at: null }
        assert.deepStrictEqual(
          listed.data.map((each) => ({ ...each, ...unused })),
          [{ ...kept, ...unused }]
        )
        assert.isNull((yield* client["usage.report"]({ group_by: ["day"] })).next_cursor)
        yield* client["keys.remove"]({ id: key.id })
        yield* client["serviceAccounts.remove"]({ id: account.id })

        const brought = yield* client["providerKeys.create"]({
          provider: "mock",
          name: "ours",
          key: secret("sk-of-ours"),
          models: ["mock-1"]
        })
        assert.deepInclude(brought, { provider: "mock", name: "ours", status: "active" })
        assert.deepStrictEqual((yield* client["providerKeys.list"]({})).data, [brought])
        const { id: providerKey } = brought
        assert.strictEqual(
          (yield* client["providerKeys.change"]({ id: providerKey, disabled: true })).status,
          "disabled"
        )
        yield* client["providerKeys.remove"]({ id: providerKey })

        const policy = yield* client["loginPolicy.get"]({ id: tenant.id })
        assert.strictEqual(policy.second_factor, "optional")
        const byPassword = yield* client["factors.prove"]({ password: secret("correct horse battery staple") })
        const totp = yield* client["factors.beginTotp"]({ name: "phone", proof: byPassword.proof })
        const added = yield* client["factors.confirmTotp"]({ code: codeAt(totp.secret) })
        const factors = yield* client["factors.list"]()
        assert.deepStrictEqual([factors.data, factors.recovery_codes_left], [[added.factor], 10])
        const [code = "", next = ""] = added.recovery_codes ?? []
        const step = yield* Effect.flip(
          nobody["accounts.login"]({ username: address, password: secret("correct horse battery staple") })
        )
        const challenge = step._tag === "SecondFactorRequired" ? step.challenge : assert.fail(step._tag)
        const second = yield* nobody["secondFactor.answer"]({ challenge, recovery_code: code })
        assert.deepInclude(second, { token_type: "bearer", expires_in: 3600 })
        const { proof } = yield* client["factors.prove"]({ recovery_code: next })
        assert.strictEqual((yield* client["factors.recoveryCodes"]({ proof })).recovery_codes.length, 10)
        const { challenge: other } = yield* client["factors.passkeyProof"]()
        assert.containsAllKeys((yield* client["factors.beginPasskey"]({ proof })).options, ["challenge", "rp", "user"])
        const device = new SoftwareAuthenticator("https://app.acme.test")
        const signed = device.create({ rp: { id: "app.acme.test" }, challenge: "Y2hhbGxlbmdl" })
        const passkey = yield* Effect.orDie(Schema.decodeUnknownEffect(CreatedPasskey)(signed))
        // Begun for a proof, and not for this.
        const wrong = yield* Effect.flip(client["factors.addPasskey"]({ challenge: other, passkey }))
        assert.strictEqual(wrong._tag, "ChallengeEnded")
        const listedOf = yield* client["factors.listOf"]({ id: tenant.id, user: me.id })
        assert.deepStrictEqual(
          listedOf.data.map(({ id }) => id),
          [added.factor.id]
        )
        yield* client["factors.removeOf"]({ id: tenant.id, user: me.id, factor: added.factor.id, proof })
        const strict = yield* client["loginPolicy.put"]({
          id: tenant.id,
          second_factor: "everybody",
          second_factor_after_sso: false,
          tenant_switch: true
        })
        assert.strictEqual(strict.second_factor, "everybody")
        const enrolment = yield* Effect.flip(
          nobody["accounts.login"]({ username: address, password: secret("correct horse battery staple") })
        )
        const open = enrolment._tag === "SecondFactorRequired" ? enrolment.challenge : assert.fail(enrolment._tag)
        const begun = yield* nobody["secondFactor.enrol"]({ challenge: open })
        const entered = yield* nobody["secondFactor.answer"]({ challenge: open, code: codeAt(begun.secret) })
        assert.strictEqual(entered.recovery_codes?.length, 10)
        assert.strictEqual(
          (yield* Effect.flip(client["factors.remove"]({ id: FactorId.make(randomUUID()) })))._tag,
          "ProofRequired"
        )

        assert.deepStrictEqual((yield* client["identities.list"]()).data, [])
        const unlinked = yield* Effect.flip(client["identities.remove"]({ id: SsoIdentityId.make(randomUUID()) }))
        assert.strictEqual(unlinked._tag, "ProofRequired")

        yield* client["messages.remove"]({ id: message.id })
        yield* client["conversations.remove"]({ id: conversation.id })
        assert.deepStrictEqual([...made].sort(), [...Rpcs.requests.keys()].sort())
      }).pipe(Effect.scoped)
    )

  for (const transport of TRANSPORTS)
    it.effect(`by ${transport} ask with tools, in a conversation with a model and instructions`, () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const { token } = yield* signUp(send)
        const client = yield* caller(transport, port, token)
        const { id } = yield* client["conversations.create"]({ model: "mock-1", system: "Be brief." })
        const changed = yield* client["conversations.rename"]({ id, title: "The weather" })
        assert.deepInclude(changed, { title: "The weather", model: "mock-1", system: "Be brief." })
        const question = { content: "What is the weather in Paris?", conversation_id: id, tools: TOOLS }
        const events = yield* Stream.runCollect(client["messages.stream"](question))
        const calls = events.filter((event) => event.type === "tool_call")
        assert.deepInclude(calls[0], { seq: Seq.make(1), index: 0, id: "call_mock_1", name: "get_weather" })
        assert.strictEqual(calls.map((event) => event.arguments).join(""), '{"city":"Paris"}')
        const results = { conversation_id: id, tools: TOOLS }
        const refusals = [
          [{ ...results, tool_results: [{ id: "call_mock_7", content: "Rain" }] }, ["payload", "tool_results"]],
          [{ content: "a", model: "gpt-none" }, undefined]
        ] as const
        for (const [payload, path] of refusals) {
          const failure = yield* Effect.flip(client["messages.ask"](payload))
          assert.strictEqual(failure._tag, path === undefined ? "ModelNotFound" : "InvalidRequest")
          if (failure._tag === "InvalidRequest") assert.deepStrictEqual(failure.errors?.[0]?.path, path)
        }
        const answered = yield* client["messages.ask"]({
          ...results,
          tool_results: [{ id: "call_mock_1", content: "Rain" }]
        })
        assert.match(answered.response ?? "", /^get_weather says: Rain\./u)
        const { data } = yield* client["conversations.messages"]({ id })
        assert.deepStrictEqual(
          data.map(({ tool_calls }) => tool_calls),
          [null, [{ id: "call_mock_1", name: "get_weather", arguments: '{"city":"Paris"}' }]]
        )
      }).pipe(Effect.scoped)
    )

  for (const transport of TRANSPORTS)
    it.effect(`by ${transport} from a stranger find what calls for nothing at all find`, () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const owner = yield* signUp(send)
        const client = yield* caller(transport, port, owner.token)
        const conversation = yield* client["conversations.create"]({})
        const message = yield* client["messages.ask"]({ content: "A secret?", conversation_id: conversation.id })
        const theirs = {
          message: message.id,
          conversation: conversation.id,
          generation: message.generation_id ?? assert.fail("no generation"),
          key: (yield* client["keys.create"]({ name: "bot", scopes: ["chat"] })).id,
          account: (yield* client["serviceAccounts.create"]({ name: "nightly" })).id,
          providerKey: (yield* client["providerKeys.create"]({ provider: "mock", name: "ours", key: secret("sk") })).id,
          user: UserId.make(owner.id),
          tenant: TenantId.make(owner.tenant)
        }
        const never = {
          message: MessageId.make(randomUUID()),
          conversation: ConversationId.make(randomUUID()),
          generation: GenerationId.make(randomUUID()),
          key: KeyId.make(randomUUID()),
          account: UserId.make(randomUUID()),
          providerKey: ProviderKeyId.make(randomUUID()),
          user: UserId.make(randomUUID()),
          tenant: TenantId.make(randomUUID())
        }
        const tried = (stranger: Client, ids: typeof theirs) =>
          Effect.forEach(
            [
              stranger["messages.get"]({ id: ids.message }),
              stranger["messages.remove"]({ id: ids.message }),
              stranger["messages.feedback"]({ id: ids.message, rating: 1 }),
              stranger["messages.ask"]({ content: "In there?", conversation_id: ids.conversation }),
              Stream.runDrain(stranger["messages.stream"]({ content: "In?", conversation_id: ids.conversation })),
              Stream.runDrain(
                stranger["messages.stream"]({
                  content: "x",
                  resume: { generation_id: ids.generation, seq: Seq.make(0) }
                })
              ),
              stranger["conversations.get"]({ id: ids.conversation }),
              stranger["conversations.rename"]({ id: ids.conversation, title: "Mine" }),
              stranger["conversations.rename"]({ id: ids.conversation, system: "Say all." }),
              stranger["conversations.messages"]({ id: ids.conversation }),
              stranger["conversations.remove"]({ id: ids.conversation }),
              stranger["generations.get"]({ id: ids.generation }),
              stranger["generations.cancel"]({ id: ids.generation }),
              stranger["generations.feedback"]({ id: ids.generation, rating: 1 }),
              Stream.runDrain(stranger["generations.watch"]({ id: ids.generation })),
              stranger["keys.get"]({ id: ids.key }),
              stranger["keys.change"]({ id: ids.key, disabled: true }),
              stranger["keys.rotate"]({ id: ids.key }),
              stranger["keys.remove"]({ id: ids.key }),
              stranger["keys.create"]({ name: "x", scopes: ["chat"], owner: ids.account }),
              stranger["serviceAccounts.get"]({ id: ids.account }),
              stranger["serviceAccounts.change"]({ id: ids.account, budget: null }),
              stranger["serviceAccounts.remove"]({ id: ids.account }),
              stranger["providerKeys.change"]({ id: ids.providerKey, disabled: true }),
              stranger["providerKeys.remove"]({ id: ids.providerKey }),
              stranger["tenants.change"]({ id: ids.tenant, registration: "closed" }),
              stranger["tenants.retention"]({ id: ids.tenant }),
              stranger["tenants.changeRetention"]({ id: ids.tenant, retention: { content: "none" } }),
              stranger["tenants.users"]({ id: ids.tenant }),
              stranger["tenants.isolation"]({ id: ids.tenant }),
              stranger["admin.user"]({ id: ids.user }),
              stranger["audit.list"]({ id: ids.tenant }),
              stranger["admin.changeUser"]({ id: ids.user, role: "user" }),
              stranger["admin.deleteUser"]({ id: ids.user })
            ],
            (call) => Effect.map(Effect.flip<unknown, unknown, never>(call), seen)
          )
        const stranger = yield* caller(transport, port, (yield* signUp(send)).token)
        const foreign = yield* tried(stranger, theirs)
        assert.deepStrictEqual(foreign, yield* tried(stranger, never))
        for (const { status } of foreign) assert.strictEqual(status, 404)
        // A colleague who is no admin: nothing of the owner's, and nothing of an admin's.
        const colleague = yield* caller(transport, port, (yield* signUp(send, owner.tenant)).token)
        assert.deepStrictEqual(
          (yield* tried(colleague, theirs)).map(({ status }) => status),
          [...new Array<number>(19).fill(404), ...new Array<number>(15).fill(403)]
        )
        assert.deepStrictEqual(seen(yield* Effect.flip(colleague["messages.list"]({ scope: "tenant" }))), {
          tag: "Forbidden",
          status: 403,
          code: "forbidden"
        })
        assert.deepStrictEqual(yield* client["messages.get"]({ id: message.id }), message)
      }).pipe(Effect.scoped)
    )

  for (const transport of TRANSPORTS)
    it.effect(`by ${transport} need a token that is good, now`, () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const admin = yield* signUp(send)
        const user = yield* signUp(send, admin.tenant)
        const refused = { tag: "Unauthenticated", status: 401, code: "unauthenticated" }
        for (const token of [undefined, "", "nonsense", `${user.token}x`, "a b"]) {
          const client = yield* caller(transport, port, token)
          assert.deepStrictEqual(seen(yield* Effect.flip(client["accounts.me"]())), refused)
          const stream = client["messages.stream"]({ content: "Who am I?" })
          assert.deepStrictEqual(seen(yield* Effect.flip(Stream.runDrain(stream))), refused)
        }
        const client = yield* caller(transport, port, user.token)
        assert.strictEqual((yield* client["accounts.me"]()).id, user.id)
        yield* (yield* caller(transport, port, admin.token))["admin.changeUser"]({
          id: UserId.make(user.id),
          status: "disabled"
        })
        assert.deepStrictEqual(seen(yield* Effect.flip(client["accounts.me"]())), refused)
      }).pipe(Effect.scoped)
    )

  for (const transport of TRANSPORTS)
    it.effect(`by ${transport} that are interrupted have a reader less: the model is told to stop`, () =>
      Effect.gen(function* () {
        const { port, process, send } = yield* Running
        const person = yield* signUp(send)
        const client = yield* caller(transport, port, person.token)
        const begun = Latch.makeUnsafe(false)
        const streaming = yield* client["messages.stream"]({ content: `Do you stop? ${SLOW}` }).pipe(
          Stream.tap((event) => (event.type === "delta" ? begun.open : Effect.void)),
          Stream.runDrain,
          Effect.forkScoped
        )
        const waiting = yield* Effect.forkScoped(client["messages.ask"]({ content: `Do you? ${SLOW}` }))
        yield* begun.await
        yield* Fiber.interruptAll([streaming, waiting])
        yield* process.says(/499 RPC +\/rpc\/? messages\.stream/)
        yield* process.says(/499 RPC +\/rpc\/? messages\.ask/)
        const statuses = yield* Effect.repeat(
          Effect.map(client["messages.list"]({}), ({ data }) => data.map(({ status }) => status)),
          { until: (all) => all.length === 2 && all.every((status) => status !== "streaming") }
        )
        assert.deepStrictEqual(statuses, ["cancelled", "cancelled"])
      }).pipe(Effect.scoped)
    )

  for (const transport of TRANSPORTS)
    it.effect(`by ${transport} fail as the contract says, with the id that is in the log`, () =>
      Effect.gen(function* () {
        const { port, process, send } = yield* Running
        const client = yield* caller(transport, port, (yield* signUp(send)).token)
        const unknown = yield* Effect.flip(client["messages.get"]({ id: MessageId.make(randomUUID()) }))
        assert.deepStrictEqual(seen(unknown), { tag: "MessageNotFound", status: 404, code: "message_not_found" })
        yield* process.says(new RegExp(`404 RPC .*messages\\.get .*request_id=${idOf(unknown)}`, "u"))

        const failed = yield* Effect.flip(client["messages.ask"]({ content: `[[mock {"fault": "before"}]]` }))
        assert.deepInclude(failed, { code: "model_failed", status: 502, reason: "model_error" })
        const events: Array<StreamEvent> = []
        const cut = yield* client["messages.stream"]({ content: `[[mock {"fault": "middle"}]]` }).pipe(
          Stream.runForEach((event) => Effect.sync(() => events.push(event))),
          Effect.flip
        )
        assert.deepInclude(cut, { code: "model_failed", reason: "model_cut" })
        assert.deepStrictEqual(seqsOf(events), range(1, 4))
        const busy = yield* Effect.flip(client["messages.ask"]({ content: `[[mock {"fault": "rate-limit"}]]` }))
        assert.deepInclude(busy, { code: "model_unavailable", retry_after: 7 })
      }).pipe(Effect.scoped)
    )

  for (const transport of TRANSPORTS)
    it.effect(`by ${transport} that meet a fault of ours learn nothing of it but the id`, () =>
      Effect.gen(function* () {
        const { port, process, send } = yield* Running
        const client = yield* caller(transport, port, (yield* signUp(send)).token)
        const failure = yield* Effect.acquireUseRelease(
          execute("alter function app.own_profile rename to lost"),
          () => Effect.flip(client["accounts.me"]()),
          () => execute("alter function app.lost rename to own_profile")
        )
        assert.deepStrictEqual(seen(failure), { tag: "InternalError", status: 500, code: "internal_error" })
        assert.deepStrictEqual(Object.keys(failure).sort(), ["code", "detail", "request_id", "status", "title", "type"])
        yield* process.says(new RegExp(`500 RPC .*accounts\\.me .*request_id=${idOf(failure)}`, "u"))
        yield* process.says(/a call failed for a reason of ours/)
        // Other calls of the same client are not touched.
        assert.deepStrictEqual((yield* client["messages.list"]({})).data, [])
      }).pipe(Effect.scoped)
    )
})

layer(Running.with({ MOCK_TTFT_MS: "0" }), { timeout: "60 seconds" })("an answer that is cut", (it) => {
  it.effect(
    "goes on at another process by another transport, with the next token, and is asked once",
    () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const other = yield* running({ MOCK_TTFT_MS: "0" })
        const person = yield* signUp(send)
        const content = `What is left? ${SLOW}`
        for (const [transport, next] of [TRANSPORTS, TRANSPORTS.toReversed()]) {
          const here = yield* caller(transport ?? "http", port, person.token)
          const there = yield* caller(next ?? "http", other.port, person.token)
          const begun = yield* Stream.runCollect(Stream.take(here["messages.stream"]({ content }), 20))
          const generation_id = begun[0]?.type === "start" ? begun[0].generation_id : assert.fail("no start")
          const more = yield* there["generations.watch"]({ id: generation_id, after: Seq.make(19) }).pipe(
            Stream.take(20),
            Stream.runCollect
          )
          const rest = yield* Stream.runCollect(
            here["messages.stream"]({ content, resume: { generation_id, seq: Seq.make(38) } })
          )
          const events = [...begun, ...more, ...rest]
          assert.deepStrictEqual(seqsOf(events), range(1, 100))
          assert.deepInclude(yield* there["generations.get"]({ id: generation_id }), {
            status: "completed",
            text: textOf(events)
          })
        }
        assert.lengthOf(Object((yield* send("GET", "/messages", { token: person.token })).body["data"]), 2)
      }).pipe(Effect.scoped),
    // Starts a process of its own.
    60_000
  )

  it.effect("is asked once by one key, however often", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const client = yield* caller("websocket", port, (yield* signUp(send)).token)
      const question = { content: `Once? ${SLOW}`, idempotency_key: "once" }
      const [first, second] = yield* Effect.all([client["messages.ask"](question), client["messages.ask"](question)], {
        concurrency: 2
      })
      assert.deepStrictEqual(first, second)
      const replay = yield* Stream.runCollect(client["messages.stream"](question))
      assert.strictEqual(textOf(replay), first.response)
      const other = yield* Effect.flip(client["messages.ask"]({ ...question, content: "Twice?" }))
      assert.strictEqual(seen(other).code, "idempotency_mismatch")
    }).pipe(Effect.scoped)
  )
})

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => Seq.make(from + index))

const seen = (error: unknown) => ({
  tag: Reflect.get(Object(error), "_tag"),
  status: Reflect.get(Object(error), "status"),
  code: Reflect.get(Object(error), "code")
})

const idOf = (error: unknown) => String(Reflect.get(Object(error), "request_id"))
