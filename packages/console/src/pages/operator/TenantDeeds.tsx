import type { OperatorTenant } from "@llm-saas/client"
import { type ReactNode, useState } from "react"
import { Confirm } from "../../ui/Confirm.tsx"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { Field, TextField } from "../../ui/Field.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { Form } from "../../ui/Form.tsx"
import { dollars } from "../../ui/format.ts"
import { toast } from "../../ui/Toasts.tsx"
import { PlanField } from "./PlanField.tsx"
import { useOperator } from "./useOperator.ts"

interface Props {
  readonly tenant: OperatorTenant
  readonly onChange: (tenant: OperatorTenant) => void
  readonly onErased: () => void
}

/** What can be done with a tenant as it is now. */
export const TenantDeeds = ({ onChange, onErased, tenant }: Props) => {
  const { tenants } = useOperator()
  return (
    <section className="card deeds" aria-label="What can be done">
      <Deed
        title="Plan"
        about="Limits, budgets, models and the markup. It counts from the next question; limits that its admins set stay, and hold where they are lower."
      >
        <DialogButton label="Change the plan" title={`The plan of ${tenant.name}`}>
          {(close) => (
            <AssignPlan
              tenant={tenant}
              onCancel={close}
              onDone={(next) => {
                onChange(next)
                close()
              }}
            />
          )}
        </DialogButton>
      </Deed>
      {tenant.status === "active" ? (
        <Deed
          title="Suspend"
          about="Nobody enters, neither by login nor by key, from the next request. Answers under way stop within seconds. It can be undone."
        >
          <Confirm
            label="Suspend"
            title={`Suspend ${tenant.name}?`}
            action="Suspend it"
            run={() => tenants.suspend(tenant.id).then(onChange)}
          >
            Its users and keys are refused from the next request on, until you resume it.
          </Confirm>
        </Deed>
      ) : (
        <Deed title="Resume" about="Its users and keys are refused now. Then they work again as before.">
          <DialogButton label="Resume" title={`Resume ${tenant.name}?`}>
            {(close) => (
              <Form
                action="Resume it"
                run={() => tenants.resume(tenant.id)}
                onDone={(next) => {
                  onChange(next)
                  close()
                }}
                onCancel={close}
              >
                {() => <p>Its users and keys work again from the next request on.</p>}
              </Form>
            )}
          </DialogButton>
        </Deed>
      )}
      {tenant.sso_required ? (
        <Deed
          title="Single sign-on"
          about="It is required, so nobody gets in if its provider is gone. Its people may log in by password again, where they have one."
        >
          <Confirm
            label="Make it optional"
            title="Let people log in by password?"
            action="Make it optional"
            run={() => tenants.makeSsoOptional(tenant.id).then(onChange)}
          >
            The connection stays as it is. An admin of the tenant can require it again.
          </Confirm>
        </Deed>
      ) : null}
      <Deed
        title="Correct what it owes"
        about="An entry of its own in the ledger. It counts in usage and balances, and not in budgets."
      >
        <DialogButton label="Correct" title={`Correct what ${tenant.name} owes`}>
          {(close) => <Correct tenant={tenant} onClose={close} />}
        </DialogButton>
      </Deed>
      <Deed
        title="Erase"
        about="Users, keys, conversations, questions and answers are removed for good. Accounts of answers, the ledger and the audit log stay, without content. Export the tenant first if the customer is to have its data."
      >
        <DialogButton danger label="Erase" title={`Erase ${tenant.name} for good?`}>
          {(close) => (
            <Erase
              tenant={tenant}
              onCancel={close}
              onDone={() => {
                close()
                onErased()
              }}
            />
          )}
        </DialogButton>
      </Deed>
    </section>
  )
}

const Deed = ({
  about,
  children,
  title
}: {
  readonly title: string
  readonly about: string
  readonly children: ReactNode
}) => (
  <div className="deed">
    <div>
      <h2>{title}</h2>
      <p className="soft small">{about}</p>
    </div>
    <div>{children}</div>
  </div>
)

interface FormProps<Result> {
  readonly tenant: OperatorTenant
  readonly onDone: (result: Result) => void
  readonly onCancel: () => void
}

const AssignPlan = ({ onCancel, onDone, tenant }: FormProps<OperatorTenant>) => {
  const { tenants } = useOperator()
  const [plan, setPlan] = useState(tenant.plan_id)
  return (
    <Form
      action="Save"
      idle={plan === tenant.plan_id}
      run={() => tenants.assignPlan(tenant.id, plan)}
      onDone={onDone}
      onCancel={onCancel}
    >
      {() => <PlanField value={plan} onChange={setPlan} />}
    </Form>
  )
}

const AMOUNT = "\\s*-?(0|[1-9][0-9]{0,11})(\\.[0-9]{1,18})?\\s*"

const Correct = ({ onClose, tenant }: { readonly tenant: OperatorTenant; readonly onClose: () => void }) => {
  const { tenants } = useOperator()
  const [draft, setDraft] = useState({ amount: "", provider: "", generation: "", note: "" })
  const set = (part: Partial<typeof draft>) => setDraft({ ...draft, ...part })
  return (
    <Form
      action="Add the entry"
      idle={draft.amount.trim() === "" || draft.note.trim() === ""}
      run={() =>
        tenants.correct(tenant.id, {
          amount: draft.amount.trim(),
          note: draft.note.trim(),
          ...(draft.provider.trim() !== "" && { provider_amount: draft.provider.trim() }),
          ...(draft.generation.trim() !== "" && { generation_id: draft.generation.trim() })
        })
      }
      onDone={({ amount }) => {
        toast(`${tenant.name} owes ${dollars(amount)} ${amount.startsWith("-") ? "" : "more"}.`)
        onClose()
      }}
      onCancel={onClose}
    >
      {(error) => (
        <>
          <Field
            label="Amount (US dollars)"
            required
            inputMode="decimal"
            pattern={AMOUNT}
            title="US dollars, such as 1.50 or -1.50"
            hint="What the tenant owes more; less, where it is negative."
            value={draft.amount}
            onChange={({ target }) => set({ amount: target.value })}
            wrong={wrongOf(error, "amount")}
          />
          <TextField
            label="Note"
            required
            rows={2}
            hint="Why. The tenant's admins see it in their export of usage."
            value={draft.note}
            onChange={({ target }) => set({ note: target.value })}
            wrong={wrongOf(error, "note")}
          />
          <Field
            label="What the provider is owed (US dollars)"
            inputMode="decimal"
            pattern={AMOUNT}
            title="US dollars, such as 1.50 or -1.50"
            hint="If that was wrong too. Empty: it stays."
            value={draft.provider}
            onChange={({ target }) => set({ provider: target.value })}
            wrong={wrongOf(error, "provider_amount")}
          />
          <Field
            label="Answer's id"
            hint="If it is about one answer: a generation_id of the tenant."
            value={draft.generation}
            onChange={({ target }) => set({ generation: target.value })}
            wrong={wrongOf(error, "generation_id")}
          />
        </>
      )}
    </Form>
  )
}

const Erase = ({ onCancel, onDone, tenant }: FormProps<unknown>) => {
  const { tenants } = useOperator()
  const [name, setName] = useState("")
  return (
    <Form
      danger
      action="Erase it for good"
      idle={name !== tenant.name}
      run={() => tenants.erase(tenant.id, name)}
      onDone={onDone}
      onCancel={onCancel}
    >
      {() => (
        <>
          <p className="note bad">This cannot be undone. What backups and MLflow have already is not erased by it.</p>
          <Field
            label={`Type the tenant's name: ${tenant.name}`}
            required
            autoComplete="off"
            value={name}
            onChange={({ target }) => setName(target.value)}
          />
        </>
      )}
    </Form>
  )
}
