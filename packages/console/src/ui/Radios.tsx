import { type ReactNode, useId } from "react"
import "./radios.css"

interface Option<Value extends string> {
  readonly value: Value
  readonly label: string
  /** What it means. */
  readonly hint?: ReactNode
  /** What is asked for with it, while it is chosen. */
  readonly more?: ReactNode
}

interface Props<Value extends string> {
  readonly label: string
  readonly value: Value
  readonly onChange: (value: Value) => void
  readonly options: ReadonlyArray<Option<Value>>
}

/** A choice of one among few, with what each means. */
export const Radios = <Value extends string>({ label, onChange, options, value }: Props<Value>) => {
  const name = useId()
  return (
    <fieldset className="radios">
      <legend>{label}</legend>
      {options.map((option) => (
        <div key={option.value} className="stack tight">
          <div className="check">
            <input
              type="radio"
              id={`${name}-${option.value}`}
              name={name}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
              aria-describedby={option.hint === undefined ? undefined : `${name}-${option.value}-hint`}
            />
            <div>
              <label htmlFor={`${name}-${option.value}`}>{option.label}</label>
              {option.hint === undefined ? null : (
                <div className="soft small" id={`${name}-${option.value}-hint`}>
                  {option.hint}
                </div>
              )}
            </div>
          </div>
          {option.value === value && option.more !== undefined ? <div className="radio-more">{option.more}</div> : null}
        </div>
      ))}
    </fieldset>
  )
}
