import type { AddPrice, OperatorPrice } from "@llm-saas/client"
import { useState } from "react"
import { Choice, Field } from "../../ui/Field.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { Form } from "../../ui/Form.tsx"
import { count } from "../../ui/format.ts"
import { UNITS } from "./units.ts"
import { useOperator } from "./useOperator.ts"

interface Props {
  readonly onDone: (price: OperatorPrice) => void
  readonly onCancel: () => void
}

const PER = [1_000_000, 1000, 1]

/** A price of one's own, from now on or from a later moment. */
export const AddPriceForm = ({ onCancel, onDone }: Props) => {
  const client = useOperator()
  const [draft, setDraft] = useState({
    provider: "",
    model: "",
    unit: "input",
    amount: "",
    per: "1000000",
    tier: "standard",
    start: "0",
    since: ""
  })
  const set = (part: Partial<typeof draft>) => setDraft({ ...draft, ...part })
  const price = (): AddPrice => ({
    provider: draft.provider.trim(),
    model: draft.model.trim(),
    unit: UNITS.find(([unit]) => unit === draft.unit)?.[0] ?? "input",
    amount: draft.amount.trim(),
    per: Number(draft.per),
    service_tier: draft.tier.trim() || "standard",
    tier_start: Number(draft.start),
    ...(draft.since !== "" && { since: new Date(draft.since).toISOString() })
  })
  return (
    <Form action="Add the price" run={() => client.prices.add(price())} onDone={onDone} onCancel={onCancel}>
      {(error) => (
        <>
          <Field
            label="Provider"
            required
            maxLength={100}
            hint="As the configuration calls it, or as the prices that came with the program do."
            value={draft.provider}
            onChange={({ target }) => set({ provider: target.value })}
            wrong={wrongOf(error, "provider")}
          />
          <Field
            label="Model"
            required
            maxLength={200}
            value={draft.model}
            onChange={({ target }) => set({ model: target.value })}
            wrong={wrongOf(error, "model")}
          />
          <Choice label="Of" value={draft.unit} onChange={({ target }) => set({ unit: target.value })}>
            {UNITS.map(([unit, text]) => (
              <option key={unit} value={unit}>
                {text}
              </option>
            ))}
          </Choice>
          <div className="filters">
            <Field
              label="Price (US dollars)"
              required
              inputMode="decimal"
              pattern="\s*(0|[1-9][0-9]{0,11})(\.[0-9]{1,18})?\s*"
              title="US dollars, such as 2.50"
              value={draft.amount}
              onChange={({ target }) => set({ amount: target.value })}
              wrong={wrongOf(error, "amount")}
            />
            <Choice label="For" value={draft.per} onChange={({ target }) => set({ per: target.value })}>
              {PER.map((per) => (
                <option key={per} value={per}>
                  {count(per)}
                </option>
              ))}
            </Choice>
          </div>
          <Field
            label="From"
            type="datetime-local"
            hint="On your clock. Empty: from now on. Your own price of the same thing ends then."
            value={draft.since}
            onChange={({ target }) => set({ since: target.value })}
            wrong={wrongOf(error, "since")}
          />
          <details>
            <summary>For a tier of service, or for long requests</summary>
            <div className="filters">
              <Field
                label="Tier of service"
                pattern="[a-z0-9_\-]{1,40}"
                title="Small letters and digits, such as flex"
                value={draft.tier}
                onChange={({ target }) => set({ tier: target.value })}
                wrong={wrongOf(error, "service_tier")}
              />
              <Field
                label="More tokens of input than"
                type="number"
                min={0}
                step={1}
                max={2_000_000_000}
                required
                value={draft.start}
                onChange={({ target }) => set({ start: target.value })}
                wrong={wrongOf(error, "tier_start")}
              />
            </div>
          </details>
        </>
      )}
    </Form>
  )
}
