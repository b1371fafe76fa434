import { memo } from "react"
import Markdown, { type Components, type Options } from "react-markdown"
import remarkGfm from "remark-gfm"
import { isHeavy } from "../../chat/heavy.ts"
import { offeredLink } from "../../chat/links.ts"
import { OutLink } from "./OutLink.tsx"
import { Tough } from "./Tough.tsx"

// What a model says is hostile: it may repeat what a stranger wrote. HTML in it is text, nothing of it is fetched, and a link says where it leads.

/** Characters of a block above which it is shown as it is, and of one that grows, which is rendered with each frame. */
const LONGEST = 20_000
const LONGEST_OPEN = 12_000

const plugins: Options["remarkPlugins"] = [[remarkGfm, { singleTilde: false }]]

const components: Components = {
  a: ({ children, href }) => <OutLink href={href}>{children}</OutLink>,
  // A picture would be fetched from where the model says, with what it says in the address.
  img: ({ alt, src }) => (
    <OutLink
      href={typeof src === "string" ? src : undefined}
    >{`Image: ${alt === undefined || alt === "" ? "without a name" : alt}`}</OutLink>
  ),
  input: ({ checked }) => <span>{checked === true ? "☑" : "☐"}</span>,
  table: ({ children }) => (
    <div className="wide" role="region" aria-label="Table" tabIndex={0}>
      <table className="table">{children}</table>
    </div>
  ),
  pre: ({ children }) => (
    <div className="wide" role="region" aria-label="Code" tabIndex={0}>
      <pre>{children}</pre>
    </div>
  ),
  // Headings of an answer are below those of the page.
  h1: ({ children }) => <h3 className="h1">{children}</h3>,
  h2: ({ children }) => <h4 className="h2">{children}</h4>,
  h3: ({ children }) => <h5>{children}</h5>,
  h4: ({ children }) => <h6>{children}</h6>,
  h5: ({ children }) => <h6>{children}</h6>,
  h6: ({ children }) => <h6>{children}</h6>,
  // Footnotes: their ids would be those of other blocks too.
  section: ({ children }) => <div>{children}</div>,
  sup: ({ children }) => <sup>{children}</sup>,
  li: ({ children }) => <li>{children}</li>
}

const onlyOffered = (url: string) => offeredLink(url)?.href ?? ""

/** A block of Markdown. `open`: it grows. */
export const MarkdownText = memo(({ open = false, text }: { readonly text: string; readonly open?: boolean }) =>
  isHeavy(text, open ? LONGEST_OPEN : LONGEST) ? (
    <p className="as-it-is">{text}</p>
  ) : (
    <Tough text={text}>
      <Markdown remarkPlugins={plugins} components={components} urlTransform={onlyOffered}>
        {text}
      </Markdown>
    </Tough>
  )
)
