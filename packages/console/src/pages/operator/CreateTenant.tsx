import type { OperatorTenant } from "@llm-saas/client"
import { useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { Field } from "../../ui/Field.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { Form } from "../../ui/Form.tsx"
import { PlanField } from "./PlanField.tsx"
import { useOperator } from "./useOperator.ts"

interface Props {
  readonly onDone: (tenant: OperatorTenant) => void
  readonly onCancel: () => void
}

/** Makes a tenant, which has no users yet. */
export const CreateTenant = ({ onCancel, onDone }: Props) => {
  const client = useOperator()
  const cache = useQueryClient()
  const [name, setName] = useState("")
  const [plan, setPlan] = useState<string | null>(null)
  return (
    <Form
      action="Create it"
      idle={name.trim() === ""}
      run={() => client.tenants.create({ name: name.trim(), plan_id: plan })}
      onDone={(tenant) => {
        void cache.invalidateQueries({ queryKey: ["tenants"] })
        onDone(tenant)
      }}
      onCancel={onCancel}
    >
      {(error) => (
        <>
          <Field
            label="Name"
            required
            hint="Of the customer. Who registers with the tenant's id first becomes its admin."
            value={name}
            onChange={({ target }) => setName(target.value)}
            wrong={wrongOf(error, "name")}
          />
          <PlanField value={plan} onChange={setPlan} />
        </>
      )}
    </Form>
  )
}
