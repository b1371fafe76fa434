import type { Message } from "@llm-saas/client"
import { useEffect, useRef } from "react"
import type { Block } from "../../chat/blocks.ts"
import { endingOf } from "../../chat/endings.ts"
import type { LiveAnswer } from "../../chat/LiveAnswer.ts"

/** Milliseconds between two things that are said. */
const PAUSE_MS = 3000

interface Props {
  readonly live: LiveAnswer | undefined
  readonly last: Message | undefined
}

/** Says an answer to those who do not see it: its blocks once they are whole, a few at a time and not each token, and how it ended. */
export const Announced = ({ last, live }: Props) => {
  const region = useRef<HTMLDivElement>(null)
  const spoken = useRef<{ readonly live: LiveAnswer; blocks: number }>(undefined)
  useEffect(() => {
    if (live === undefined) return
    const told = { live, blocks: 0 }
    spoken.current = told
    const say = (text: string) => {
      if (region.current !== null && text !== "") region.current.textContent = text
    }
    say("The model answers.")
    const timer = setInterval(() => {
      const blocks = live.blocks.groups.flat()
      say(textOf(blocks.slice(told.blocks)))
      told.blocks = blocks.length
    }, PAUSE_MS)
    return () => clearInterval(timer)
  }, [live])
  useEffect(() => {
    const told = spoken.current
    if (live !== undefined || told === undefined) return
    spoken.current = undefined
    if (last === undefined || last.id !== told.live.message) {
      // It was refused, which is said where it was asked.
      if (region.current !== null) region.current.textContent = ""
      return
    }
    const { groups, open } = told.live.blocks
    const rest = [...groups.flat().slice(told.blocks), ...(open === undefined ? [] : [open])]
    const ending = endingOf(last)
    const end = ending === undefined ? "The answer is whole." : `${ending.title}. ${ending.text}`
    if (region.current !== null) region.current.textContent = `${textOf(rest)}\n${end}`
  }, [live, last])
  return <div ref={region} className="visually-hidden" role="status" aria-live="polite" />
}

const textOf = (blocks: ReadonlyArray<Block>): string =>
  blocks.map((block) => (block.kind === "code" ? "A block of code." : block.text)).join("\n")
