import { Copy } from "./Copy.tsx"

/** Lines for a terminal or a file, to be copied as they are. */
export const Snippet = ({ label, text }: { readonly text: string; readonly label: string }) => (
  <div className="snippet">
    <div className="snippet-text" role="region" aria-label={label} tabIndex={0}>
      <pre>{text}</pre>
    </div>
    <Copy text={text} />
  </div>
)
