import type { Message } from "@llm-saas/client"
import { memo, useMemo, useSyncExternalStore } from "react"
import type { Attached } from "../../chat/attachments.ts"
import { blocksOf } from "../../chat/blocks.ts"
import { endingOf } from "../../chat/endings.ts"
import type { LiveAnswer } from "../../chat/LiveAnswer.ts"
import { AnswerText } from "./AnswerText.tsx"
import { Files } from "./Files.tsx"
import { LiveState } from "./LiveState.tsx"

interface Props {
  /** As it is stored, once it has ended. */
  readonly message: Message | undefined
  /** While it is under way. */
  readonly live: LiveAnswer | undefined
  readonly files: ReadonlyArray<Attached>
  /** What can be done with it. */
  readonly actions: React.ReactNode
}

const nothing = () => () => {}

/** A question and its answer. */
export const Turn = memo(({ actions, files, live, message }: Props) => {
  useSyncExternalStore(live?.subscribe ?? nothing, () => live?.version ?? 0)
  const response = message?.response
  const groups = useMemo(() => (typeof response === "string" ? blocksOf(response) : []), [response])
  const ending = message === undefined ? undefined : endingOf(message)
  const model = message?.model ?? live?.model
  return (
    <article className="turn" aria-label="Question and answer">
      <div className="question">
        <h3 className="visually-hidden">Question</h3>
        <div className="question-text">{message?.content ?? live?.asking.content}</div>
        <Files files={files} />
      </div>
      <div className="answer">
        <h3 className="answer-by soft small">{typeof model === "string" ? model : "Answer"}</h3>
        {live === undefined || live.reasoning === "" ? null : (
          <details className="reasoning">
            <summary>Thoughts</summary>
            <div className="as-it-is soft">{live.reasoning}</div>
          </details>
        )}
        <AnswerText groups={live?.blocks.groups ?? groups} open={live?.blocks.open} />
        {live === undefined ? null : <LiveState live={live} />}
        {ending === undefined ? null : (
          <div className={`note ${ending.tone}`} data-ending={ending.title}>
            <strong>{ending.title}.</strong> {ending.text}
          </div>
        )}
        {message?.response === null && message.status === "completed" ? (
          <div className="note">The text of this answer is not kept: your tenant keeps none.</div>
        ) : null}
        {actions}
      </div>
    </article>
  )
})
