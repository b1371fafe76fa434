import { useQuery } from "@tanstack/react-query"
import { Choice } from "../../ui/Field.tsx"
import { useOperator } from "./useOperator.ts"

interface Props {
  /** A plan's id; null: none. */
  readonly value: string | null
  readonly onChange: (plan: string | null) => void
}

/** Which plan a tenant has. */
export const PlanField = ({ onChange, value }: Props) => {
  const client = useOperator()
  const plans = useQuery({ queryKey: ["plans"], queryFn: ({ signal }) => client.plans.list({ signal }) })
  return (
    <Choice
      label="Plan"
      hint={
        plans.isError ? "The plans could not be read: reload the page." : "Without a plan nothing is limited by one."
      }
      value={value ?? ""}
      onChange={({ target }) => onChange(target.value === "" ? null : target.value)}
    >
      <option value="">No plan</option>
      {plans.data?.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </Choice>
  )
}
