import type { Plan, PlanChoice, PlanLimits } from "@llm-saas/client"
import {
  type Allowance,
  type AllowanceDraft,
  changeOf,
  draftOf as allowanceDraft,
  UNLIMITED
} from "../limits/allowance.ts"

/** A plan as it is typed: texts, of which an empty one is no limit. */
export interface PlanDraft {
  readonly name: string
  readonly markup: string
  readonly days: string
  /** Names, one a line; empty: all models. */
  readonly models: string
  /** Whether no model at all may be asked: an empty list is not the same as none. */
  readonly noModels: boolean
  readonly tenant: AllowanceDraft
  readonly user: AllowanceDraft
  readonly key: AllowanceDraft
  readonly perModel: ReadonlyArray<ModelDraft>
}

/** Limits of questions to one model. */
export interface ModelDraft {
  readonly model: string
  readonly limits: AllowanceDraft
}

export const NEW_PLAN: PlanDraft = {
  name: "",
  markup: "1",
  days: "",
  models: "",
  noModels: false,
  tenant: UNLIMITED,
  user: UNLIMITED,
  key: UNLIMITED,
  perModel: []
}

/** What is to be typed so that nothing changes. */
export const draftOf = (plan: Omit<Plan, "id" | "created_at" | "updated_at" | "tenants">): PlanDraft => ({
  name: plan.name,
  markup: plan.markup,
  days: plan.content_days_at_most === null ? "" : String(plan.content_days_at_most),
  models: plan.models?.join("\n") ?? "",
  noModels: plan.models?.length === 0,
  tenant: ofPart(plan.limits.tenant),
  user: ofPart(plan.limits.user),
  key: ofPart(plan.limits.key),
  perModel: Object.entries(plan.limits.models ?? {}).map(([model, part]) => ({ model, limits: ofPart(part) }))
})

const NONE: Allowance["limits"] = { requests_per_minute: null, tokens_per_minute: null, concurrent: null }

const ofPart = (part: PlanLimits["tenant"]): AllowanceDraft => {
  const budget = part?.budget ?? null
  return allowanceDraft({
    limits: { ...NONE, ...part?.limits },
    budget: budget === null ? null : { alert_at: [], ...budget }
  })
}

/** The plan that was typed, whole: what is left out of it is not limited. */
export const choiceOf = (draft: PlanDraft): PlanChoice => {
  const models = lines(draft.models)
  const perModel = draft.perModel.filter(({ model }) => model.trim() !== "")
  return {
    name: draft.name.trim(),
    markup: draft.markup.trim(),
    content_days_at_most: draft.days.trim() === "" ? null : Number(draft.days),
    models: draft.noModels ? [] : models.length === 0 ? null : models,
    limits: {
      ...part("tenant", draft.tenant),
      ...part("user", draft.user),
      ...part("key", draft.key),
      ...(perModel.length === 0
        ? {}
        : {
            models: Object.fromEntries(
              perModel.map(({ limits, model }) => [model.trim(), { limits: changeOf(UNLIMITED, limits).limits ?? {} }])
            )
          })
    }
  }
}

const part = (name: "tenant" | "user" | "key", draft: AllowanceDraft): PlanLimits => {
  const limited = changeOf(UNLIMITED, draft)
  return Object.keys(limited).length === 0 ? {} : { [name]: limited }
}

const lines = (text: string): ReadonlyArray<string> =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
