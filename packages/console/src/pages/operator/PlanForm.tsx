import type { Plan, PlanChoice } from "@llm-saas/client"
import { useState } from "react"
import { Button } from "../../ui/Button.tsx"
import { Check, Field, TextField } from "../../ui/Field.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { Form } from "../../ui/Form.tsx"
import { UNLIMITED } from "../limits/allowance.ts"
import { AllowanceFields } from "../limits/AllowanceFields.tsx"
import { choiceOf, type ModelDraft, type PlanDraft } from "./planDraft.ts"

interface Props {
  readonly action: string
  readonly start: PlanDraft
  readonly run: (plan: PlanChoice) => Promise<Plan>
  readonly onDone: (plan: Plan) => void
}

const EMPTY = "Empty: not limited by the plan; 0: nothing at all."
const PARTS = [
  ["tenant", "Of the tenant as a whole"],
  ["user", "Of each user and service account"],
  ["key", "Of each key"]
] as const

/** All that a plan says. It is sent whole, so what is empty is not limited afterwards. */
export const PlanForm = ({ action, onDone, run, start }: Props) => {
  const [draft, setDraft] = useState(start)
  const set = (part: Partial<PlanDraft>) => setDraft({ ...draft, ...part })
  const isSame = JSON.stringify(choiceOf(draft)) === JSON.stringify(choiceOf(start))
  const names = draft.perModel.map(({ model }) => model.trim())
  const twice = names.some((name, at) => name !== "" && names.indexOf(name) !== at)
  return (
    <Form
      action={action}
      idle={isSame || twice || draft.name.trim() === ""}
      run={() => run(choiceOf(draft))}
      onDone={onDone}
    >
      {(error) => (
        <>
          <section className="card stack">
            <Field
              label="Name"
              required
              maxLength={100}
              value={draft.name}
              onChange={({ target }) => set({ name: target.value })}
              wrong={wrongOf(error, "name")}
            />
            <Field
              label="Markup"
              required
              inputMode="decimal"
              pattern="\s*(0|[1-9][0-9]{0,2})(\.[0-9]{1,6})?\s*|\s*1000(\.0{1,6})?\s*"
              title="A number from 0 to 1000, such as 1.25"
              hint="What a tenant owes for each dollar of the provider's price: 1.25 is a quarter more."
              value={draft.markup}
              onChange={({ target }) => set({ markup: target.value })}
              wrong={wrongOf(error, "markup")}
            />
            <Field
              label="Content is kept for at most (days)"
              type="number"
              min={0}
              max={36_500}
              step={1}
              placeholder="As the tenant's admins decide"
              hint="0: questions and answers are not kept at all."
              value={draft.days}
              onChange={({ target }) => set({ days: target.value })}
              wrong={wrongOf(error, "content_days_at_most")}
            />
            <TextField
              label="Models"
              rows={3}
              placeholder="All models"
              disabled={draft.noModels}
              hint="Names as clients use them, one a line. Empty: all."
              value={draft.models}
              onChange={({ target }) => set({ models: target.value })}
              wrong={wrongOf(error, "models")}
            />
            <Check
              label="No model may be asked"
              checked={draft.noModels}
              onChange={({ target }) => set({ noModels: target.checked })}
            />
          </section>
          {PARTS.map(([part, title]) => (
            <section key={part} className="card">
              <AllowanceFields
                legend={title}
                about={EMPTY}
                draft={draft[part]}
                error={error}
                onChange={(next) => set({ [part]: next })}
              />
            </section>
          ))}
          <section className="card stack" aria-labelledby="per-model">
            <h2 id="per-model">Of questions to a model</h2>
            {draft.perModel.map((each, at) => (
              <ModelFields
                // The place is all that a row of the form is known by.
                key={`${at} of ${draft.perModel.length}`}
                draft={each}
                onChange={(next) => set({ perModel: draft.perModel.map((other, n) => (n === at ? next : other)) })}
                onRemove={() => set({ perModel: draft.perModel.filter((_, n) => n !== at) })}
              />
            ))}
            {twice ? (
              <p className="note warn" role="alert">
                A model is there twice. Keep one of them.
              </p>
            ) : null}
            <div className="row">
              <Button onClick={() => set({ perModel: [...draft.perModel, { model: "", limits: UNLIMITED }] })}>
                Limit a model
              </Button>
            </div>
          </section>
        </>
      )}
    </Form>
  )
}

const LIMITS = [
  ["requests_per_minute", "Requests a minute"],
  ["tokens_per_minute", "Tokens a minute"],
  ["concurrent", "Answers at once"]
] as const

interface ModelProps {
  readonly draft: ModelDraft
  readonly onChange: (draft: ModelDraft) => void
  readonly onRemove: () => void
}

const ModelFields = ({ draft, onChange, onRemove }: ModelProps) => (
  <div className="filters">
    <Field
      label="Model"
      required
      maxLength={200}
      value={draft.model}
      onChange={({ target }) => onChange({ ...draft, model: target.value })}
    />
    {LIMITS.map(([name, label]) => (
      <Field
        key={name}
        label={label}
        type="number"
        min={0}
        step={1}
        placeholder="No limit"
        value={draft.limits[name]}
        onChange={({ target }) => onChange({ ...draft, limits: { ...draft.limits, [name]: target.value } })}
      />
    ))}
    <Button look="plain" onClick={onRemove}>
      Remove
    </Button>
  </div>
)
