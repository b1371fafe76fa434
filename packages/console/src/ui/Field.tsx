import {
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId
} from "react"

interface About {
  readonly label: string
  /** What is expected: unit, range, an example. */
  readonly hint?: ReactNode
  /** What is wrong with it, as a sentence. */
  readonly wrong?: string | undefined
}

/** What each input needs so that its hint and its fault are read with it (WCAG 2.2, 3.3.1). */
const useTies = ({ hint, wrong }: About) => {
  const id = useId()
  const described = [hint === undefined ? "" : `${id}-hint`, wrong === undefined ? "" : `${id}-wrong`].join(" ").trim()
  return {
    id,
    ...(described === "" ? {} : { "aria-describedby": described }),
    ...(wrong === undefined ? {} : { "aria-invalid": true })
  }
}

const Frame = ({ children, hint, id, label, wrong }: About & { readonly id: string; readonly children: ReactNode }) => (
  <div className="field">
    <label htmlFor={id}>{label}</label>
    {children}
    {hint === undefined ? null : (
      <div className="hint" id={`${id}-hint`}>
        {hint}
      </div>
    )}
    {wrong === undefined ? null : (
      <div className="wrong" id={`${id}-wrong`} role="alert">
        {wrong}
      </div>
    )}
  </div>
)

/** A labelled input of one line. */
export const Field = ({ hint, label, wrong, ...rest }: About & Omit<InputHTMLAttributes<HTMLInputElement>, "id">) => {
  const ties = useTies({ label, hint, wrong })
  return (
    <Frame label={label} hint={hint} wrong={wrong} id={ties.id}>
      <input className="input" {...rest} {...ties} />
    </Frame>
  )
}

/** A labelled text of several lines. */
export const TextField = ({
  hint,
  label,
  wrong,
  ...rest
}: About & Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "id">) => {
  const ties = useTies({ label, hint, wrong })
  return (
    <Frame label={label} hint={hint} wrong={wrong} id={ties.id}>
      <textarea className="input" rows={4} {...rest} {...ties} />
    </Frame>
  )
}

/** A labelled choice of one. Its options are `children`. */
export const Choice = ({
  hint,
  label,
  wrong,
  children,
  ...rest
}: About & Omit<SelectHTMLAttributes<HTMLSelectElement>, "id">) => {
  const ties = useTies({ label, hint, wrong })
  return (
    <Frame label={label} hint={hint} wrong={wrong} id={ties.id}>
      <select className="input" {...rest} {...ties}>
        {children}
      </select>
    </Frame>
  )
}

/** A yes or no. */
export const Check = ({ hint, label, ...rest }: About & Omit<InputHTMLAttributes<HTMLInputElement>, "id" | "type">) => {
  const ties = useTies({ label, hint })
  return (
    <div className="field">
      <div className="check">
        <input type="checkbox" {...rest} {...ties} />
        <label htmlFor={ties.id}>{label}</label>
      </div>
      {hint === undefined ? null : (
        <div className="hint" id={`${ties.id}-hint`}>
          {hint}
        </div>
      )}
    </div>
  )
}
