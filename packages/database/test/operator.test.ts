import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { randomBytes, randomUUID } from "node:crypto"
import { append, asked, finish, inRoom, office, purge } from "./Questions.ts"
import { type Session, stateOf } from "./Session.ts"

// What holds for the operator in the database itself, whatever the program above forgets.

/** A token of the operator, made as the administrator makes one. */
const token = Effect.fnUntraced(function* (superuser: Session, expires = "null") {
  const id = randomUUID()
  const hash = randomBytes(32)
  yield* superuser.rows(
    `insert into operator.tokens (id, name, hash, expires_at) values ($1, 'a token', $2, ${expires})`,
    [id, hash]
  )
  return { id, hash }
})

const desk = Effect.gen(function* () {
  const people = yield* office
  return { ...people, tenant: people.alice.tenant, token: yield* token(people.superuser) }
})

const plan = Effect.fnUntraced(function* (api: Session, hash: Buffer, about: object = {}) {
  const id = randomUUID()
  const given = { name: id, limits: {}, models: null, markup: "1", content_days_at_most: null, ...about }
  yield* api.rows("select operator.put_plan($1, $2, $3, false, 'request')", [hash, id, JSON.stringify(given)])
  return { id, given }
})

const LIMITS = { requests_per_minute: 10, tokens_per_minute: null, concurrent: 2 }

const limitsOf = (superuser: Session, tenant: string) =>
  superuser.rows(
    `select subject, requests_per_minute, concurrent, budget::text, budget_period, alert_at::text from app.limits
     where tenant_id = $1 order by subject`,
    [tenant]
  )

layer(TestDatabase.layer)("the operator", (it) => {
  it.effect("without a token that holds, the API's login gets nothing of any function", () =>
    Effect.gen(function* () {
      const { api, superuser, token: good } = yield* desk
      const functions = yield* superuser.rows(
        `select p.oid::regprocedure::text as name, p.pronargs::int as arguments, pg_get_function_arguments(p.oid) as types
         from pg_proc p where p.pronamespace = 'operator'::regnamespace and has_function_privilege('llm_api', p.oid, 'execute')
         and p.oid <> 'operator.carry_on(integer)'::regprocedure order by 1`
      )
      assert.isAtLeast(functions.length, 13)
      const [old, gone] = [yield* token(superuser, "now() - interval '1 second'"), yield* token(superuser)]
      yield* superuser.rows("update operator.tokens set revoked_at = now() where id = $1", [gone.id])
      for (const bad of [
        "null",
        `'\\x${randomBytes(32).toString("hex")}'`,
        ...[old, gone].map(({ hash }) => `'\\x${hash.toString("hex")}'`)
      ])
        for (const { name } of functions) {
          const rest = String(name)
            .replace(/^.*?\(bytea,?/u, "")
            .replace(/\)$/u, "")
            .split(",")
            .filter((type) => type !== "")
            .map((type) => `null::${type}`)
          const call = `select * from ${String(name).split("(")[0]}(${[`${bad}::bytea`, ...rest].join(", ")})`
          assert.strictEqual(yield* stateOf(api.rows(call)), "LL401", call)
        }
      assert.strictEqual(yield* stateOf(api.rows("select * from operator.whoami($1)", [good.hash])), "fine")
      for (const table of ["tokens", "plans", "events", "erasures"])
        assert.strictEqual(yield* stateOf(api.rows(`select from operator.${table}`)), "42501", table)
    }).pipe(Effect.scoped)
  )

  it.effect("copies a plan to its tenants when it is given and when it changes, and takes it away", () =>
    Effect.gen(function* () {
      const { alice, api, superuser, tenant, token } = yield* desk
      const mine = ["user", alice.user].join(":")
      yield* superuser.rows("insert into app.limits (tenant_id, subject, concurrent) values ($1, $2, 1)", [
        tenant,
        mine
      ])
      const own = {
        subject: mine,
        requests_per_minute: null,
        concurrent: 1,
        budget: null,
        budget_period: null,
        alert_at: "{50,80,100}"
      }
      const { given, id } = yield* plan(api, token.hash, {
        limits: {
          tenant: { limits: LIMITS, budget: { amount: "12.50", period: "month", alert_at: [90, 10] } },
          user: { limits: { requests_per_minute: null, tokens_per_minute: null, concurrent: null }, budget: null },
          models: { "a:b": { limits: LIMITS } }
        },
        models: ["a:b"],
        markup: "1.25",
        content_days_at_most: 30
      })
      yield* api.rows("select operator.assign_plan($1, $2, $3, 'request')", [token.hash, tenant, id])
      assert.deepStrictEqual(yield* limitsOf(superuser, tenant), [
        {
          subject: "model:a:b",
          requests_per_minute: 10,
          concurrent: 2,
          budget: null,
          budget_period: null,
          alert_at: "{50,80,100}"
        },
        {
          subject: "tenant",
          requests_per_minute: 10,
          concurrent: 2,
          budget: "12.50",
          budget_period: "month",
          alert_at: "{10,90}"
        },
        own
      ])
      const settings = superuser.rows(
        "select plan_id, markup::text, models, content_retention, content_days from app.tenants where id = $1",
        [tenant]
      )
      assert.deepStrictEqual(yield* settings, [
        { plan_id: id, markup: "1.25", models: ["a:b"], content_retention: "days", content_days: 30 }
      ])

      const [changed] = yield* api.rows("select operator.put_plan($1, $2, $3, true, 'request') as tenants", [
        token.hash,
        id,
        JSON.stringify({
          ...given,
          limits: { key: { limits: LIMITS, budget: null } },
          models: null,
          content_days_at_most: 0
        })
      ])
      assert.deepStrictEqual(changed, { tenants: 1 })
      assert.deepStrictEqual(yield* limitsOf(superuser, tenant), [
        {
          subject: "key",
          requests_per_minute: 10,
          concurrent: 2,
          budget: null,
          budget_period: null,
          alert_at: "{50,80,100}"
        },
        own
      ])
      assert.deepStrictEqual(yield* settings, [
        { plan_id: id, markup: "1.25", models: null, content_retention: "none", content_days: null }
      ])

      const removing = api.rows("select operator.remove_plan($1, $2, 'request')", [token.hash, id])
      assert.strictEqual(yield* stateOf(removing), "LL419")
      yield* api.rows("select operator.assign_plan($1, $2, null, 'request')", [token.hash, tenant])
      assert.deepStrictEqual(yield* limitsOf(superuser, tenant), [own])
      assert.strictEqual(yield* stateOf(removing), "fine")
      const events = yield* superuser.rows("select action from operator.events where token_id = $1 order by id", [
        token.id
      ])
      assert.deepStrictEqual(
        events.map(({ action }) => action),
        ["plan.created", "tenant.plan", "plan.changed", "tenant.plan", "tenant.plan", "plan.removed"]
      )
      const own_log = yield* superuser.rows(
        "select distinct detail::text from app.audit_events where tenant_id = $1 and action like 'operator.%' and detail::text ~ '1[.]25|markup'",
        [tenant]
      )
      assert.deepStrictEqual(own_log, [])
    }).pipe(Effect.scoped)
  )

  it.effect("an admin keeps content for no longer than the plan allows", () =>
    Effect.gen(function* () {
      const { admin, api, tenant, token } = yield* desk
      const { id } = yield* plan(api, token.hash, { content_days_at_most: 7 })
      yield* api.rows("select operator.assign_plan($1, $2, $3, 'request')", [token.hash, tenant, id])
      const keep = (content: string, days: number | null) =>
        stateOf(inRoom(api, admin, "update app.tenants set content_retention = $1, content_days = $2", [content, days]))
      assert.strictEqual(yield* keep("full", null), "LL403")
      assert.strictEqual(yield* keep("days", 8), "LL403")
      assert.strictEqual(yield* keep("days", 7), "fine")
      assert.strictEqual(yield* keep("none", null), "fine")
    }).pipe(Effect.scoped)
  )

  it.effect("suspends a tenant: nobody enters, and its answers under way are told to stop", () =>
    Effect.gen(function* () {
      const { alice, api, superuser, tenant, token } = yield* desk
      const running = yield* asked(api, alice, { content: "why" })
      yield* api.rows("select operator.suspend($1, $2, true, 'request')", [token.hash, tenant])
      assert.deepStrictEqual(yield* append(api, running, 1, ["a"]), ["cancel"])
      assert.strictEqual(yield* stateOf(inRoom(api, alice, "select 1")), "LL401")
      // A question that had entered before.
      yield* superuser.rows("update app.generations set cancel_requested_at = null where tenant_id = $1", [tenant])
      yield* api.rows("select operator.carry_on(100)")
      assert.deepStrictEqual(
        yield* superuser.rows(
          "select cancel_requested_at is null as goes_on from app.generations where tenant_id = $1",
          [tenant]
        ),
        [{ goes_on: false }]
      )
      yield* api.rows("select operator.suspend($1, $2, false, 'request')", [token.hash, tenant])
      assert.strictEqual(yield* stateOf(inRoom(api, alice, "select 1")), "fine")
    }).pipe(Effect.scoped)
  )

  it.effect(
    "erases a tenant: no content, users and keys are left, the accounts are, and the receipt counts what went",
    () =>
      Effect.gen(function* () {
        const { admin, alice, api, superuser, tenant, token } = yield* desk
        const ended = yield* asked(api, alice, { content: "xyzzy", key: "key" })
        yield* finish(api, ended, { response: "xyzzy" })
        const running = yield* asked(api, alice, { content: "xyzzy" })
        yield* append(api, running, 1, ["xyzzy"])
        const correction = randomUUID()
        yield* superuser.rows(
          `insert into app.ledger (tenant_id, id, kind, generation_id, user_id, provider, model, tenant_amount, provider_amount, margin_amount)
         values ($1, $2, 'correction', null, $3, 'p', 'm', 2, -1.5, -0.5)`,
          [tenant, correction, alice.user]
        )
        yield* superuser.rows("insert into app.usage_queue (tenant_id, ledger_id) values ($1, $2)", [
          tenant,
          correction
        ])
        yield* api.rows("select operator.erase($1, $2, 'Acme', 'request')", [token.hash, tenant])
        assert.strictEqual(yield* stateOf(inRoom(api, admin, "select 1")), "LL401")
        assert.strictEqual(
          yield* stateOf(api.rows("select operator.erase($1, $2, 'Acme', 'request')", [token.hash, tenant])),
          "LL409"
        )
        const receipt = Effect.map(
          api.rows("select ended_at is not null as done, counts from operator.receipt($1, $2)", [token.hash, tenant]),
          ([row]) => row
        )
        const round = Effect.andThen(purge(api, 1000), api.rows("select operator.carry_on(1000)"))
        for (let rounds = 0; rounds < 4; rounds++) yield* round
        assert.deepInclude(yield* receipt, { done: false })
        yield* finish(api, running, { response: "xyzzy" })
        for (let rounds = 0; rounds < 4; rounds++) yield* round
        const done = yield* receipt
        assert.deepInclude(done, { done: true })
        assert.deepInclude(done?.["counts"], {
          users: 3,
          credentials: 3,
          messages: 2,
          generation_chunks: 1,
          idempotency_keys: 1
        })
        const tables = yield* superuser.rows(
          `select c.relname::text as name, (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from app.%I where %I = %L',
           c.relname, case c.relname when 'tenants' then 'id' else 'tenant_id' end, $1::text), false, true, '')))[1]::text::int as rows
         from pg_class c where c.relnamespace = 'app'::regnamespace and c.relkind = 'r' order by 1`,
          [tenant]
        )
        const left = tables.filter(({ rows }) => rows !== 0).map(({ name }) => name)
        assert.includeMembers(
          ["attempts", "audit_events", "generations", "ledger", "tenants", "usage_queue", "usage_days"],
          left.map(String)
        )
        const kept = yield* superuser.rows(
          "select (select string_agg(t::text, '') from app.tenants t where id = $1) || (select string_agg(e::text, '') from app.audit_events e where tenant_id = $1) as text",
          [tenant]
        )
        assert.notMatch(String(kept[0]?.["text"]), /Acme|@|xyzzy/u)
        assert.deepStrictEqual(
          yield* api.rows(
            "select requests::int, tenant_amount, provider_amount, margin_amount from operator.list_usage($1, '2000-01-01', '2100-01-01', '{tenant}', $2, 10)",
            [token.hash, tenant]
          ),
          [{ requests: 2, tenant_amount: "2", provider_amount: "1.5", margin_amount: "0.5" }]
        )
      }).pipe(Effect.scoped)
  )

  it.effect("events are never changed, by any role", () =>
    Effect.gen(function* () {
      const { api, superuser, token } = yield* desk
      yield* plan(api, token.hash)
      for (const change of [
        "update operator.events set action = 'x'",
        "delete from operator.events",
        "truncate operator.events"
      ])
        assert.strictEqual(yield* stateOf(superuser.rows(change)), "42501", change)
    }).pipe(Effect.scoped)
  )
})
