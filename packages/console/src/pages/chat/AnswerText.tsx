import { memo } from "react"
import type { Block } from "../../chat/blocks.ts"
import { CodeBlock } from "./CodeBlock.tsx"
import { MarkdownText } from "./MarkdownText.tsx"

interface Props {
  readonly groups: ReadonlyArray<ReadonlyArray<Block>>
  /** What is not closed yet. */
  readonly open?: Block | undefined
}

/** A model's text. Closed blocks are rendered once, however long the answer grows behind them. */
export const AnswerText = ({ groups, open }: Props) => (
  <div className="answer-text">
    {groups.map((blocks, index) => (
      <Group key={index} blocks={blocks} length={blocks.length} />
    ))}
    {open === undefined ? null : <OneBlock block={open} open />}
  </div>
)

/** Blocks are added to a group until it is full: `length` says whether there are more than before. */
const Group = memo(({ blocks }: { readonly blocks: ReadonlyArray<Block>; readonly length: number }) => (
  <div className="blocks">
    {blocks.map((block, index) => (
      <OneBlock key={index} block={block} />
    ))}
  </div>
))

const OneBlock = memo(({ block, open = false }: { readonly block: Block; readonly open?: boolean }) =>
  block.kind === "code" ? (
    <CodeBlock text={block.text} language={block.language} open={open} />
  ) : (
    <MarkdownText text={block.text} open={open} />
  )
)
