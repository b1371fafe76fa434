import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { askedQuestion, type Person } from "./Questions.ts"
import type { Session } from "./Session.ts"

/** What a question is admitted by. */
export interface Terms {
  readonly key?: string
  readonly model?: string
  readonly estimate?: number
  readonly worst?: string
  readonly may_wait?: boolean
  readonly prices?: object
}

const PRICES = { input: { price_id: null, price: "0.01" }, output: { price_id: null, price: "0.01" } }

/** Asks by `app.ask`, with these terms. */
export const admit = Effect.fnUntraced(function* (session: Session, { tenant, user }: Person, terms: Terms = {}) {
  const { content, ...question } = {
    ...askedQuestion(randomUUID()),
    created_at: Date.now(),
    admitted_at: Date.now(),
    prices: PRICES,
    may_wait: true,
    ...(terms.key === undefined ? {} : { key_id: terms.key }),
    ...terms
  }
  const [row] = yield* session.rows("select * from app.ask($1, $2, 0, 'user', $3, $4)", [
    tenant,
    user,
    JSON.stringify(question),
    content
  ])
  return {
    tenant,
    row,
    outcome: row?.["outcome"],
    refusal: row?.["refusal"],
    generation: question.id,
    lease: question.lease_owner
  }
})

/** Asks by `app.ask_many`: questions with one key, or none, and one model. */
export const admitTogether = Effect.fnUntraced(function* (
  session: Session,
  { tenant, user }: Person,
  all: ReadonlyArray<Omit<Terms, "key" | "model" | "may_wait">>,
  key: string | null = null
) {
  const questions = all.map((terms) => {
    return { ...askedQuestion(randomUUID()), created_at: Date.now(), admitted_at: Date.now(), prices: PRICES, ...terms }
  })
  const rows = yield* session.rows("select * from app.ask_many($1, $2, 0, 'user', $3, 'model', true, $4, $5, $6)", [
    tenant,
    user,
    key,
    JSON.stringify(questions),
    questions.map(() => "Why?"),
    questions.map(() => "")
  ])
  return questions.map((question, n) => ({
    tenant,
    row: rows[n],
    outcome: rows[n]?.["outcome"],
    refusal: rows[n]?.["refusal"],
    generation: question.id,
    lease: question.lease_owner
  }))
})
export type Admitted = Effect.Success<ReturnType<typeof admit>>

/** Ends it: so many tokens, at 0.01 dollars each. */
export const settle = (session: Session, { generation, lease, tenant }: Admitted, tokens: number) =>
  session.rows("select * from work.finish_many($1, array['Yes.'], array['{4}'], array[''])", [
    JSON.stringify([
      {
        tenant_id: tenant,
        id: generation,
        lease_owner: lease,
        status: "completed",
        finish_reason: "stop",
        approx_tokens_out: 1,
        started_at: Date.now(),
        model_ended_at: Date.now(),
        items: [{ attempt: 1, unit: "output", quantity: tokens, price_id: null, price: "0.01" }],
        priced: true,
        tokens_used: tokens,
        attempts: []
      }
    ])
  ])

/** Sets a subject's limits. */
export const limit = (
  superuser: Session,
  tenant: string,
  subject: string,
  values: Readonly<Record<string, unknown>>
) => {
  const names = Object.keys(values)
  return superuser.rows(
    `insert into app.limits (tenant_id, subject, ${names.join(", ")}) values ($1, $2, ${names.map((_, n) => `$${n + 3}`).join(", ")})
     on conflict (tenant_id, subject) do update set ${names.map((name) => `${name} = excluded.${name}`).join(", ")}`,
    [tenant, subject, ...Object.values(values)]
  )
}

/** What is spent and reserved of all budgets of a tenant, and its ledger. */
export const amounts = (superuser: Session, tenant: string) =>
  superuser.rows(
    `select
       (select coalesce(sum(tenant_amount), 0)::text from app.ledger where tenant_id = $1) as ledger,
       (select (coalesce(sum(spent), 0) + (select coalesce(sum(spent), 0) from app.counter_changes where tenant_id = $1 and period <> 'minute'))::text
        from app.budget_periods where tenant_id = $1) as spent,
       (select (coalesce(sum(reserved), 0) - (select coalesce(sum(released), 0) from app.counter_changes where tenant_id = $1))::text
        from app.budget_periods where tenant_id = $1) as reserved`,
    [tenant]
  )
