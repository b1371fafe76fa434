import { useState } from "react"
import { Button } from "../../ui/Button.tsx"
import { Field } from "../../ui/Field.tsx"
import type { Progress } from "./progress.ts"

/** The first step. The tenant is made with its first admin, so that none is left without one. */
export const TenantStep = ({ at, onNext }: { readonly at: Progress; readonly onNext: (next: Progress) => void }) => {
  const [name, setName] = useState(at.name)
  return (
    <form
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault()
        onNext({ ...at, name: name.trim(), step: "admin" })
      }}
    >
      <p className="soft">
        A tenant is a company that uses this installation: it has its own users, keys, limits and records, and sees
        nothing of the others. The first one may be your own.
      </p>
      <Field
        label="Name"
        placeholder="Acme Corp"
        autoComplete="organization"
        required
        pattern=".*\S.*"
        maxLength={200}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <Button type="submit" look="primary">
        Continue
      </Button>
    </form>
  )
}
