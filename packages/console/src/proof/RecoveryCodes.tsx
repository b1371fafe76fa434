import { Copy } from "../ui/Copy.tsx"
import { Button } from "../ui/Button.tsx"
import { saveText } from "../ui/saveText.ts"

/** Recovery codes, which are shown this once. `onKept`: the person says that they have them. */
export const RecoveryCodes = ({
  codes,
  done,
  onKept
}: {
  readonly codes: ReadonlyArray<string>
  /** What the last button says. */
  readonly done: string
  readonly onKept: () => void
}) => {
  const text = codes.join("\n")
  return (
    <div className="stack">
      <p>
        <strong>Keep these recovery codes.</strong> Each replaces the second factor once, for the day your phone or key
        is lost. They are shown this once.
      </p>
      <ol className="codes" aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div className="row">
        <Copy text={text} />
        <Button onClick={() => saveText("recovery-codes.txt", `${text}\n`)}>Download</Button>
        <Button look="primary" onClick={onKept}>
          {done}
        </Button>
      </div>
    </div>
  )
}
