import { Field } from "../../ui/Field.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { useAbout } from "./useAbout.ts"

/** A password that is chosen. What may be chosen the server says; its length is told before. */
export const NewPassword = ({
  error,
  label = "Password",
  member = "password",
  onChange,
  value
}: {
  readonly value: string
  readonly onChange: (password: string) => void
  readonly error: unknown
  readonly label?: string
  /** What the request calls it. */
  readonly member?: string
}) => {
  const least = useAbout().data?.password_min_length ?? 8
  return (
    <Field
      label={label}
      type="password"
      name={member}
      autoComplete="new-password"
      hint={`At least ${least} characters. A few words that nobody would guess are better than signs and digits.`}
      minLength={least}
      maxLength={256}
      required
      value={value}
      wrong={wrongOf(error, member)}
      onChange={(event) => onChange(event.target.value)}
    />
  )
}
