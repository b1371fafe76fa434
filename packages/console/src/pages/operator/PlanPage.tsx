import type { Plan } from "@llm-saas/client"
import { useQuery, useQueryClient } from "@tanstack/react-query"
import { Link, useNavigate, useParams } from "@tanstack/react-router"
import { count, moment } from "../../ui/format.ts"
import { Loaded } from "../../ui/Loaded.tsx"
import { Page } from "../../ui/Page.tsx"
import { toast } from "../../ui/Toasts.tsx"
import { draftOf, NEW_PLAN } from "./planDraft.ts"
import { PlanForm } from "./PlanForm.tsx"
import { useOperator } from "./useOperator.ts"

const Back = () => <Link to="/operator/plans">All plans</Link>

/** A plan to make. */
export const NewPlanPage = () => {
  const client = useOperator()
  const saved = useSaved("The plan was made.")
  return (
    <Page title="Make a plan" about={<Back />}>
      <PlanForm action="Make the plan" start={NEW_PLAN} run={(plan) => client.plans.create(plan)} onDone={saved} />
    </Page>
  )
}

/** A plan to change. */
export const PlanPage = () => {
  const client = useOperator()
  const { plan: id } = useParams({ from: "/operator/plans/$plan" })
  const plan = useQuery({ queryKey: ["plan", id], queryFn: ({ signal }) => client.plans.get(id, { signal }) })
  const saved = useSaved("The plan was changed.")
  return (
    <Page title={plan.data?.name ?? "Plan"} about={<Back />}>
      <Loaded query={plan} what="plan" back={<Back />}>
        {(data) => (
          <>
            <p className="note">
              {data.tenants === 0 ? "No tenant has it." : `${count(data.tenants)} tenants have it.`} A change counts
              from their next question. Last changed {moment(data.updated_at)}.
            </p>
            <PlanForm
              key={data.updated_at}
              action="Save"
              start={draftOf(data)}
              run={(choice) => client.plans.change(id, choice)}
              onDone={saved}
            />
          </>
        )}
      </Loaded>
    </Page>
  )
}

const useSaved = (text: string) => {
  const cache = useQueryClient()
  const navigate = useNavigate()
  return (plan: Plan) => {
    cache.setQueryData(["plan", plan.id], plan)
    void cache.invalidateQueries({ queryKey: ["plans"] })
    // Tenants show what their plan says.
    void cache.invalidateQueries({ queryKey: ["tenant"] })
    toast(text)
    void navigate({ to: "/operator/plans" })
  }
}
