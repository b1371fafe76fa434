import * as Databases from "@llm-saas/database/backup/Databases"
import { checkLedger } from "@llm-saas/database/ledger/LedgerCheck"
import { DEFAULT_PREFIX, roleNames, Roles } from "@llm-saas/database/logins/Roles"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { Answer, Send } from "../Running.ts"

/** A server with prices, whose answers take some milliseconds, and whose own queue refuses nothing. */
export const PRICED = {
  MOCK_TOKENS: "4",
  MOCK_TTFT_MS: "5",
  MOCK_DELAY_MS: "5",
  LLM_PRICE_INPUT_PER_MILLION: "2.5",
  LLM_PRICE_OUTPUT_PER_MILLION: "10",
  GENERATIONS_PER_USER: "1000",
  GENERATIONS_PER_TENANT: "500",
  GENERATIONS_WAITING_PER_TENANT: "1000",
  READERS_PER_USER: "1000",
  STREAM_GRACE_SECONDS: "0",
  TENANTS_PER_ADDRESS: "10000",
  REGISTRATIONS_PER_ADDRESS: "10000"
}

/** Rows that the administrator reads. */
export const query = Effect.fnUntraced(function* (sql: string) {
  const { adminUrl } = yield* TestDatabase
  return (yield* Databases.execute(adminUrl, sql)).rows.map((row): Readonly<Record<string, unknown>> => Object(row))
})

export const first = (sql: string) => Effect.map(query(sql), ([row]) => row ?? {})

/** Sets limits of a subject: names of columns, and their values as SQL. */
export const limit = (tenant: string, subject: string, values: Readonly<Record<string, string>>) =>
  query(
    `insert into app.limits (tenant_id, subject, ${Object.keys(values).join(", ")})
     values ('${tenant}', '${subject}', ${Object.values(values).join(", ")})
     on conflict (tenant_id, subject) do update set ${Object.keys(values)
       .map((name) => `${name} = excluded.${name}`)
       .join(", ")}`
  )

/** What a tenant has spent, by the ledger and by each of its budgets. Amounts without zeros at their end. */
export interface Account {
  readonly entries: number
  readonly running: number
  readonly ledger: string
  readonly budgets: ReadonlyArray<{ readonly subject: string; readonly spent: string; readonly reserved: string }>
}

export const accountOf = (tenant: string) =>
  Effect.map(
    first(
      `select
         (select count(*)::int from app.ledger l where l.tenant_id = '${tenant}') as entries,
         (select count(*)::int from app.generations g where g.tenant_id = '${tenant}' and g.status = 'streaming') as running,
         (select trim_scale(coalesce(sum(l.tenant_amount), 0))::text from app.ledger l where l.tenant_id = '${tenant}') as ledger,
         (select coalesce(jsonb_agg(jsonb_build_object('subject', s.subject, 'spent', trim_scale(s.spent)::text,
            'reserved', trim_scale(s.reserved)::text) order by s.subject), '[]')
          from (
            select u.subject, sum(u.spent) as spent, sum(u.reserved) as reserved
            from (
              select b.subject, b.spent, b.reserved from app.budget_periods b where b.tenant_id = '${tenant}'
              union all
              select c.subject, c.spent, -c.released from app.counter_changes c
              where c.tenant_id = '${tenant}' and c.period <> 'minute'
            ) u group by 1
          ) s) as budgets`
    ),
    ({ budgets, entries, ledger, running }): Account => ({
      entries: Number(entries),
      running: Number(running),
      ledger: String(ledger),
      budgets: (Array.isArray(budgets) ? budgets : []).map(({ reserved, spent, subject }: Record<string, unknown>) => ({
        subject: String(subject),
        spent: String(spent),
        reserved: String(reserved)
      }))
    })
  )

/** Polls until no answer of the tenant runs, for ten seconds. */
export const ended = (tenant: string) =>
  Effect.gen(function* () {
    for (let tries = 0; (yield* accountOf(tenant)).running > 0; tries++) {
      assert.isBelow(tries, 200, "answers still run")
      yield* Effect.sleep("50 millis")
    }
  })

/** What does not agree in the books, in words. */
export const differences = Effect.gen(function* () {
  const { adminUrl } = yield* TestDatabase
  return (yield* checkLedger(adminUrl)).flatMap(({ first }) => first)
}).pipe(Effect.provideService(Roles, roleNames(DEFAULT_PREFIX)))

/** What one answer to `content` costs, by one that another tenant asks. */
export const costOf = Effect.fnUntraced(function* (send: Send, token: string, content: string) {
  const answer = yield* send("POST", "/messages", { token, json: { content } })
  assert.strictEqual(answer.status, 201, JSON.stringify(answer.body))
  const { amount } = yield* first(
    `select tenant_amount::text as amount from app.ledger where id = '${String(answer.body["generation_id"])}'`
  )
  return String(amount)
})

/** How often each outcome was: `200`, `429 budget_exhausted`. */
export const counted = (answers: ReadonlyArray<Pick<Answer, "status" | "body">>) => {
  const counts: Record<string, number> = {}
  for (const { body, status } of answers) {
    const code = body["code"] ?? Object(body["error"])["code"]
    const name = code === undefined ? String(status) : `${status} ${String(code)}`
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

export const makeKey = Effect.fnUntraced(function* (send: Send, token: string, json: object = {}) {
  const made = yield* send("POST", "/keys", { token, json: { name: "a key", scopes: ["chat"], ...json } })
  assert.strictEqual(made.status, 201, JSON.stringify(made.body))
  return { id: String(made.body["id"]), key: String(made.body["key"]) }
})
