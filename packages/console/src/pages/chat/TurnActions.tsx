import type { Message } from "@llm-saas/client"
import { Copy } from "../../ui/Copy.tsx"
import { count, duration, moment } from "../../ui/format.ts"
import type { Thread } from "../../chat/Thread.ts"
import { Button } from "../../ui/Button.tsx"
import { Confirm } from "../../ui/Confirm.tsx"
import { Thumbs } from "./Thumbs.tsx"

interface Props {
  readonly thread: Thread
  readonly message: Message
  /** Of the last message, when nothing is under way: asks it again, or lets it be changed before. */
  readonly onAgain?: (() => void) | undefined
  readonly onEdit?: (() => void) | undefined
}

/** What an answer took, and what can be done with it. */
export const TurnActions = ({ message, onAgain, onEdit, thread }: Props) => (
  <div className="turn-foot">
    <div className="row">
      {message.response === null || message.response === "" ? null : <Copy text={message.response} />}
      {message.response === null || message.response === "" ? null : <Thumbs thread={thread} message={message.id} />}
      {onAgain === undefined ? null : thread.filesOf(message.id) === undefined ? (
        <Confirm
          label="Ask again"
          look="plain"
          title="Ask this again?"
          action="Ask again"
          run={() => Promise.resolve(onAgain())}
        >
          The answer is deleted, and the question is asked anew. Files that were beside it are not known here any more:
          its text is sent alone.
        </Confirm>
      ) : (
        <Button look="plain" onClick={onAgain}>
          Ask again
        </Button>
      )}
      {onEdit === undefined ? null : (
        <Button look="plain" onClick={onEdit}>
          Edit
        </Button>
      )}
    </div>
    <Took message={message} />
  </div>
)

/** Tokens, and times. What the provider did not count is our own estimate. */
const Took = ({ message }: { readonly message: Message }) => {
  const { approx_tokens_in, approx_tokens_out, created_at, latency_ms, tokens_in, tokens_out, ttft_ms } = message
  const tokens = (exact: number | null, estimate: number | null) =>
    exact !== null ? count(exact) : estimate !== null ? `about ${count(estimate)}` : "–"
  const facts = [
    `${tokens(tokens_in, approx_tokens_in)} tokens in, ${tokens(tokens_out, approx_tokens_out)} out`,
    ...(latency_ms === null ? [] : [duration(latency_ms)]),
    ...(ttft_ms === null ? [] : [`first after ${duration(ttft_ms)}`]),
    moment(created_at)
  ]
  return <div className="soft small">{facts.join(" · ")}</div>
}
