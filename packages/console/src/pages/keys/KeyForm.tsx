import type { ApiKey, NewApiKey, Scope, ServiceAccount } from "@llm-saas/client"
import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { useIdempotencyKey } from "../../idempotency.ts"
import { client } from "../../session/session.ts"
import { Check, Choice, Field, TextField } from "../../ui/Field.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { Form } from "../../ui/Form.tsx"
import { isLimited } from "../limits/allowance.ts"
import { AllowanceFields } from "../limits/AllowanceFields.tsx"
import { changeOf, createOf, draftOf, type KeyDraft, NEW_KEY, SCOPES } from "./keyDraft.ts"

interface FieldsProps {
  readonly draft: KeyDraft
  readonly onChange: (draft: KeyDraft) => void
  readonly error: unknown
  /** Whether who types may give the scope `admin`. */
  readonly admin: boolean
}

const KeyFields = ({ admin, draft, error, onChange }: FieldsProps) => {
  const toggle = (scope: Scope, on: boolean) =>
    onChange({
      ...draft,
      scopes: SCOPES.map(([each]) => each).filter((each) => (each === scope ? on : draft.scopes.includes(each)))
    })
  const models = useQuery({ queryKey: ["models"], queryFn: ({ signal }) => client.models({ signal }) })
  const known = models.data === undefined ? "" : ` There are ${models.data.map(({ id }) => id).join(", ")}.`
  return (
    <>
      <Field
        label="Name"
        required
        maxLength={200}
        hint="What it is for: it is shown in lists, usage and the audit log."
        value={draft.name}
        onChange={(event) => onChange({ ...draft, name: event.target.value })}
        wrong={wrongOf(error, "name")}
      />
      <fieldset className="allowance">
        <legend>What it may</legend>
        {SCOPES.filter(([scope]) => admin || scope !== "admin" || draft.scopes.includes(scope)).map(([scope, may]) => (
          <Check
            key={scope}
            label={may}
            hint={<code>{scope}</code>}
            checked={draft.scopes.includes(scope)}
            onChange={(event) => toggle(scope, event.target.checked)}
          />
        ))}
      </fieldset>
      {draft.scopes.length === 0 ? <p className="note warn">Choose at least one.</p> : null}
      <TextField
        label="Models"
        rows={2}
        placeholder="All models"
        hint={`Names of models that it may ask, one a line. Empty: all.${known}`}
        value={draft.models}
        onChange={(event) => onChange({ ...draft, models: event.target.value })}
        wrong={wrongOf(error, "models")}
      />
      <Field
        label="Expires"
        type="datetime-local"
        hint="On your clock. Empty: it works until it is revoked."
        value={draft.expires}
        onChange={(event) => onChange({ ...draft, expires: event.target.value })}
        wrong={wrongOf(error, "expires_at")}
      />
      <AllowanceFields
        draft={draft.allowance}
        error={error}
        onChange={(allowance) => onChange({ ...draft, allowance })}
      />
      {draft.scopes.includes("keys:write") && isLimited(draft.allowance) ? (
        <p className="note warn">A key with limits or a budget of its own manages no keys, whatever its scopes.</p>
      ) : null}
      <TextField
        label="Notes"
        rows={2}
        placeholder="team = support"
        hint="For yourselves: name = text, one a line, at most 16."
        value={draft.notes}
        onChange={(event) => onChange({ ...draft, notes: event.target.value })}
        wrong={wrongOf(error, "metadata")}
      />
    </>
  )
}

interface CreateProps {
  readonly admin: boolean
  /** Service accounts that it can be made for, beside oneself. */
  readonly accounts?: ReadonlyArray<ServiceAccount>
  /** Whose it is at first: `me`, or the id of one of them. */
  readonly owner?: string
  readonly onDone: (key: NewApiKey) => void
  readonly onCancel: () => void
}

/** Makes a key. Its secret is in what `onDone` is given, and nowhere else: see `KeySecret`. */
export const NewKeyForm = ({ accounts = [], admin, onCancel, onDone, owner = "me" }: CreateProps) => {
  const [draft, setDraft] = useState({ ...NEW_KEY, owner })
  const idempotencyKey = useIdempotencyKey()
  return (
    <Form
      action="Make the key"
      idle={draft.scopes.length === 0}
      run={() => {
        const key = createOf(draft)
        return client.keys.create(key, { idempotencyKey: idempotencyKey(key) })
      }}
      onDone={onDone}
      onCancel={onCancel}
    >
      {(error) => (
        <>
          {accounts.length === 0 ? null : (
            <Choice
              label="For"
              hint="A key acts as its owner. One of a service account works on when you have left."
              value={draft.owner}
              onChange={(event) => setDraft({ ...draft, owner: event.target.value })}
              wrong={wrongOf(error, "owner")}
            >
              <option value="me">Myself</option>
              {accounts.map((account) => (
                <option key={account.id} value={account.id}>
                  {account.name} (service account)
                </option>
              ))}
            </Choice>
          )}
          <KeyFields draft={draft} onChange={setDraft} error={error} admin={admin} />
        </>
      )}
    </Form>
  )
}

interface ChangeProps {
  readonly value: ApiKey
  readonly admin: boolean
  readonly onDone: (key: ApiKey) => void
  readonly onCancel: () => void
}

/** Changes what a key may, and how long. */
export const ChangeKeyForm = ({ admin, onCancel, onDone, value }: ChangeProps) => {
  const [draft, setDraft] = useState(() => draftOf(value))
  const change = changeOf(value, draft)
  return (
    <Form
      action="Save"
      idle={draft.scopes.length === 0 || Object.keys(change).length === 0}
      run={() => client.keys.change(value.id, change)}
      onDone={onDone}
      onCancel={onCancel}
    >
      {(error) => <KeyFields draft={draft} onChange={setDraft} error={error} admin={admin} />}
    </Form>
  )
}
