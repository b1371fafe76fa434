import type { NewApiKey } from "@llm-saas/client"
import { Button } from "../../ui/Button.tsx"
import { Copy } from "../../ui/Copy.tsx"
import { commandOf } from "./keyUses.ts"
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

const Copied = ({ label, text }: { readonly label: string; readonly text: string }) => (
  <div className="stack tight">
    <div className="row between">
      <strong>{label}</strong>
      <Copy text={text} />
    </div>
    <pre className="secret">{text}</pre>
  </div>
)
