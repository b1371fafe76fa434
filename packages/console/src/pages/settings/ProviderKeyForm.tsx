import type { ChangeProviderKey, CreateProviderKey, ProviderKey } from "@llm-saas/client"
import { useState } from "react"
import { useIdempotencyKey } from "../../idempotency.ts"
import { client } from "../../session/session.ts"
import { Field, TextField } from "../../ui/Field.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { Form } from "../../ui/Form.tsx"
import { lines } from "../../ui/lines.ts"

interface Ends {
  readonly onDone: () => void
  readonly onCancel: () => void
}

/** Keeps a key at a provider. It is written and never read again: no answer of the server shows it. */
export const NewProviderKeyForm = ({ onCancel, onDone }: Ends) => {
  const [provider, setProvider] = useState("openai")
  const [name, setName] = useState("")
  const [key, setKey] = useState("")
  const [models, setModels] = useState("")
  const idempotencyKey = useIdempotencyKey()
  return (
    <Form
      action="Add it"
      run={() => {
        const named = lines(models)
        const wanted: CreateProviderKey = {
          provider: provider.trim(),
          name: name.trim(),
          key: key.trim(),
          ...(named.length === 0 ? {} : { models: named })
        }
        return client.providerKeys.create(wanted, { idempotencyKey: idempotencyKey(wanted) })
      }}
      onDone={onDone}
      onCancel={onCancel}
    >
      {(error) => (
        <>
          <Field
            label="Provider"
            required
            maxLength={100}
            hint="Its name in this installation: openai, where there is one provider. Ask who runs the server."
            value={provider}
            onChange={(event) => setProvider(event.target.value)}
            wrong={wrongOf(error, "provider")}
          />
          <Field
            label="Name"
            required
            maxLength={200}
            hint="For yourselves, such as: our account."
            value={name}
            onChange={(event) => setName(event.target.value)}
            wrong={wrongOf(error, "name")}
          />
          <Field
            label="Key"
            type="password"
            autoComplete="off"
            required
            maxLength={1000}
            hint="It is stored encrypted, and never shown again."
            value={key}
            onChange={(event) => setKey(event.target.value)}
            wrong={wrongOf(error, "key")}
          />
          <Models models={models} onChange={setModels} error={error} />
        </>
      )}
    </Form>
  )
}

/** Another name, or other models. For another secret there is another key. */
export const ChangeProviderKeyForm = ({ onCancel, onDone, value }: Ends & { readonly value: ProviderKey }) => {
  const [name, setName] = useState(value.name)
  const [models, setModels] = useState(value.models?.join("\n") ?? "")
  const named = lines(models)
  const isSame = JSON.stringify(named) === JSON.stringify(value.models ?? [])
  const change: ChangeProviderKey = {
    ...(name.trim() === value.name ? {} : { name: name.trim() }),
    ...(isSame ? {} : { models: named.length === 0 ? null : named })
  }
  return (
    <Form
      action="Save"
      idle={Object.keys(change).length === 0}
      run={() => client.providerKeys.change(value.id, change)}
      onDone={onDone}
      onCancel={onCancel}
    >
      {(error) => (
        <>
          <Field
            label="Name"
            required
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.target.value)}
            wrong={wrongOf(error, "name")}
          />
          <Models models={models} onChange={setModels} error={error} />
          <p className="soft small">To change the secret, add the new key and delete this one.</p>
        </>
      )}
    </Form>
  )
}

interface ModelsProps {
  readonly models: string
  readonly onChange: (models: string) => void
  readonly error: unknown
}

const Models = ({ error, models, onChange }: ModelsProps) => (
  <TextField
    label="Models"
    rows={2}
    placeholder="All models"
    hint="Names of models, as they are asked here, for which it is used; one a line. Empty: all of the provider's."
    value={models}
    onChange={(event) => onChange(event.target.value)}
    wrong={wrongOf(error, "models")}
  />
)
