import { Field } from "../ui/Field.tsx"

/** For a one-time code of an authenticator, or a recovery code. */
export const CodeField = ({
  onChange,
  recovery = false,
  value
}: {
  readonly value: string
  readonly onChange: (text: string) => void
  readonly recovery?: boolean
}) =>
  recovery ? (
    <Field
      key="recovery"
      label="Recovery code"
      hint="One of those you kept when you set up the second factor. Each works once."
      autoComplete="off"
      spellCheck={false}
      required
      maxLength={64}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  ) : (
    <Field
      key="code"
      label="Code"
      hint="Six digits, from your authenticator app."
      inputMode="numeric"
      autoComplete="one-time-code"
      pattern="\s*[0-9]{3} ?[0-9]{3}\s*"
      title="Six digits"
      required
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  )
