import { type ComponentType, memo, useEffect, useState } from "react"
import { Copy } from "../../ui/Copy.tsx"

interface Props {
  readonly text: string
  readonly language: string
  /** It grows: it is coloured when it is whole. */
  readonly open?: boolean
}

type Colouring = ComponentType<{ readonly code: string; readonly language: string }>

/** Characters of code above which it is not coloured. */
const LONGEST = 20_000

/** What colours, once the first code wanted it. Without, where it could not be loaded, code is as right. */
let colouring: Colouring | undefined

/** A block of code. */
export const CodeBlock = memo(({ language, open = false, text }: Props) => {
  const code = text.replace(/\n$/u, "")
  const isColoured = !open && language !== "" && code.length <= LONGEST
  const [Coloured, setColoured] = useState(() => colouring)
  useEffect(() => {
    if (!isColoured || Coloured !== undefined) return
    import("./ColouredCode.tsx").then(
      ({ ColouredCode }) => {
        colouring = ColouredCode
        setColoured(() => ColouredCode)
      },
      () => undefined
    )
  }, [isColoured, Coloured])
  return (
    <div className="code-block">
      <div className="code-head">
        <span className="soft small">{language === "" ? "Code" : language}</span>
        {open ? null : <Copy text={code} label="Copy code" />}
      </div>
      <div className="wide" role="region" aria-label="Code" tabIndex={0}>
        <pre>
          <code>{isColoured && Coloured !== undefined ? <Coloured code={code} language={language} /> : code}</code>
        </pre>
      </div>
    </div>
  )
})
