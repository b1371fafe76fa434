import type { ButtonHTMLAttributes } from "react"

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** How much it stands out. One `primary` on a page or in a dialog. */
  readonly look?: "normal" | "primary" | "plain"
  /** It destroys something. */
  readonly danger?: boolean
  /** What it began has not ended yet. */
  readonly busy?: boolean
}

/** A button; of no form's unless `type` says so. */
export const Button = ({
  busy = false,
  children,
  className = "",
  danger = false,
  disabled,
  look = "normal",
  type = "button",
  ...rest
}: Props) => (
  <button
    {...rest}
    type={type}
    disabled={disabled === true || busy}
    aria-busy={busy}
    className={["button", look, danger ? "danger" : "", className].join(" ").trim()}
  >
    {busy ? <span className="spinner" aria-hidden="true" /> : null}
    {children}
  </button>
)
