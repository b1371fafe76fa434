import { assert, layer } from "@effect/vitest"
import { LlmSaasError } from "@llm-saas/client"
import { createOperatorClient } from "@llm-saas/client/plain/OperatorClient"
import { createOperatorToken } from "@llm-saas/database/logins/OperatorTokens"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Redacted } from "effect"
import { signUp } from "../People.ts"
import { Running } from "../Running.ts"

const codeOf = (work: () => Promise<unknown>) =>
  work().then(
    (value) => assert.fail(`it did not fail: ${JSON.stringify(value)}`),
    (error: unknown) => (error instanceof LlmSaasError ? error.code : error)
  )

layer(Running.with({ MOCK_TTFT_MS: "0", MOCK_TOKENS: "4" }), { timeout: "120 seconds" })(
  "the operator's client",
  (it) => {
    it.effect("does all that the operator does", () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const { adminUrl } = yield* TestDatabase
        const made = yield* createOperatorToken(adminUrl, { name: "console", lifetime: undefined })
        const url = `http://127.0.0.1:${port}/`
        const admin = yield* signUp(send)
        const asked = yield* send("POST", "/messages", { token: admin.token, json: { content: "Why?" } })
        yield* Effect.promise(async () => {
          const client = createOperatorClient({ url, token: Redacted.value(made.text) })
          assert.deepInclude(await client.whoami(), { id: made.token.id, name: "console" })

          const plan = await client.plans.create({ name: "Team", markup: "1.25" })
          assert.deepStrictEqual(await client.plans.list(), [plan])
          const changed = await client.plans.change(plan.id, { name: "Team", models: ["mock-1"] })
          assert.deepStrictEqual([changed.markup, changed.models], ["1", ["mock-1"]])
          assert.deepStrictEqual(await client.plans.get(plan.id), changed)

          const tenant = await client.tenants.create({ name: "Globex", plan_id: plan.id })
          assert.deepInclude(tenant, { name: "Globex", status: "active", plan: "Team", users: 0 })
          assert.strictEqual(await codeOf(() => client.plans.remove(plan.id)), "plan_in_use")
          const first = await client.tenants.list({ limit: 1 })
          assert.deepStrictEqual(first.data, [tenant])
          const rest = await client.tenants.list({ cursor: first.next_cursor ?? "", status: "active" })
          assert.strictEqual(rest.data[0]?.id, admin.tenant)
          assert.strictEqual((await client.tenants.suspend(tenant.id)).status, "suspended")
          assert.deepStrictEqual((await client.tenants.list({ status: "suspended", plan_id: plan.id })).data.length, 1)
          assert.strictEqual((await client.tenants.resume(tenant.id)).status, "active")
          assert.isFalse((await client.tenants.makeSsoOptional(tenant.id)).sso_required)
          assert.isNull((await client.tenants.assignPlan(tenant.id, null)).plan_id)
          await client.plans.remove(plan.id)
          assert.deepStrictEqual(await client.plans.list(), [])

          const price = await client.prices.add({ provider: "house", model: "m", unit: "input", amount: "2" })
          assert.deepStrictEqual(await client.prices.list({ provider: "house", own: true }), [price])
          await client.prices.end(price.id)
          assert.deepStrictEqual(await client.prices.list({ provider: "house" }), [])
          assert.lengthOf(await client.prices.list({ provider: "house", ended: true }), 1)

          const correction = await client.tenants.correct(admin.tenant, {
            amount: "-0.5",
            generation_id: String(asked.body["generation_id"]),
            note: "goodwill"
          })
          assert.deepInclude(correction, { amount: "-0.5", provider_amount: "0", tenant_id: admin.tenant })
          const sums = await client.usage({ group_by: ["tenant", "day"], tenant_id: admin.tenant })
          assert.deepStrictEqual(
            sums.map(({ model, tenant_id }) => [tenant_id, model]),
            [[admin.tenant, null]]
          )

          const health = await client.health()
          assert.deepInclude(health.targets, {
            provider: "mock",
            model: "mock-1",
            breaker: "closed",
            retry_seconds: null,
            tenants_waiting: 0
          })
          assert.hasAllKeys(health.mail, ["waiting", "oldest_seconds"])

          const erasure = await client.tenants.erase(tenant.id, "Globex")
          assert.strictEqual(erasure.tenant_id, tenant.id)
          assert.strictEqual((await client.tenants.erasure(tenant.id)).tenant_id, tenant.id)
          assert.strictEqual((await client.tenants.get(tenant.id)).status, "erased")
          const events = await client.events({ tenant_id: tenant.id, limit: 1 })
          assert.deepStrictEqual([events.data[0]?.action, events.next_cursor === null], ["tenant.erased", false])
        })
      })
    )

    it.effect("is refused with a user's token, and says what is missing", () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const { token } = yield* signUp(send)
        const client = createOperatorClient({ url: `http://127.0.0.1:${port}`, token })
        assert.strictEqual(yield* Effect.promise(() => codeOf(() => client.tenants.list())), "unauthenticated")
        assert.strictEqual(yield* Effect.promise(() => codeOf(() => client.health())), "unauthenticated")
      })
    )
  }
)
