import type { NewApiKey } from "@llm-saas/client"
import { SERVER_URL } from "../../Place.ts"
import { Button } from "../../ui/Button.tsx"
import { Copy } from "../../ui/Copy.tsx"
import "./keys.css"

/** A new key's secret, which is shown this once, and a command that uses it. */
export const KeySecret = ({ made, onDone }: { readonly made: NewApiKey; readonly onDone: () => void }) => (
  <div className="stack">
    {made.key === null ? (
      <p className="note warn">
        The key was made by your earlier try, whose answer with its secret was lost. Give it a new secret (rotate it),
        or revoke it and make another.
      </p>
    ) : (
      <>
        <p className="note warn">Copy it now: it is shown this once. What is stored of it cannot be turned back.</p>
        <Copied label="The key" text={made.key} />
        <Copied label="Try it" text={commandOf(made)} />
      </>
    )}
    <div className="row">
      <Button look="primary" onClick={onDone}>
        I have it
      </Button>
    </div>
  </div>
)

/** A command of a shell that the key can do. */
const commandOf = ({ key, models, scopes }: NewApiKey): string => {
  const authorization = `-H "Authorization: Bearer ${key}"`
  if (!scopes.includes("chat")) return `curl ${SERVER_URL}/v1/key ${authorization}`
  const model = models?.[0]
  const question = JSON.stringify({ content: "Hello", ...(model === undefined ? {} : { model }) })
  // A quote ends what a shell takes as it is.
  const quoted = question.replaceAll("'", `'\\''`)
  return `curl ${SERVER_URL}/messages ${authorization} -H "Content-Type: application/json" -d '${quoted}'`
}

const Copied = ({ label, text }: { readonly label: string; readonly text: string }) => (
  <div className="stack tight">
    <div className="row between">
      <strong>{label}</strong>
      <Copy text={text} />
    </div>
    <pre className="secret">{text}</pre>
  </div>
)
