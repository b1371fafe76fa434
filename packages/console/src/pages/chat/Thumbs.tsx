import { useMutation } from "@tanstack/react-query"
import { useState } from "react"
import type { Opinion, Thread } from "../../chat/Thread.ts"
import { client } from "../../session/session.ts"
import { Button } from "../../ui/Button.tsx"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { TextField } from "../../ui/Field.tsx"
import { Form } from "../../ui/Form.tsx"

/** What the user thinks of an answer: it can be changed, and given a reason. */
export const Thumbs = ({ message, thread }: { readonly thread: Thread; readonly message: string }) => {
  const [opinion, setOpinion] = useState(() => thread.opinions.get(message))
  const give = async (next: Opinion) => {
    await client.messages.feedback(message, next)
    thread.opinions.set(message, next)
    setOpinion(next)
  }
  const rate = useMutation({ mutationFn: (rating: number) => give({ rating, comment: opinion?.comment ?? null }) })
  return (
    <>
      <Button
        look="plain"
        className="icon"
        aria-label="A good answer"
        aria-pressed={opinion?.rating === 1}
        disabled={rate.isPending}
        onClick={() => rate.mutate(1)}
      >
        <Thumb />
      </Button>
      <Button
        look="plain"
        className="icon down"
        aria-label="A bad answer"
        aria-pressed={opinion?.rating === -1}
        disabled={rate.isPending}
        onClick={() => rate.mutate(-1)}
      >
        <Thumb />
      </Button>
      {opinion === undefined ? null : (
        <DialogButton
          look="plain"
          label={opinion.comment === null ? "Say why" : "Change the reason"}
          title={opinion.rating > 0 ? "What was good about it?" : "What was wrong with it?"}
        >
          {(close) => <Reason opinion={opinion} give={give} close={close} />}
        </DialogButton>
      )}
      {rate.isError ? <Failure error={rate.error} /> : null}
    </>
  )
}

const Reason = ({
  close,
  give,
  opinion
}: {
  readonly opinion: Opinion
  readonly give: (next: Opinion) => Promise<void>
  readonly close: () => void
}) => {
  const [comment, setComment] = useState(opinion.comment ?? "")
  return (
    <Form
      action="Send"
      run={() => give({ ...opinion, comment: comment.trim() === "" ? null : comment })}
      onDone={close}
      onCancel={close}
    >
      {() => (
        <TextField
          label="Reason"
          hint="It is kept with the answer, for those who look after the model."
          maxLength={4000}
          value={comment}
          onChange={(event) => setComment(event.target.value)}
        />
      )}
    </Form>
  )
}

const Thumb = () => (
  <svg
    viewBox="0 0 24 24"
    width="18"
    height="18"
    fill="none"
    stroke="currentColor"
    strokeWidth="1.8"
    aria-hidden="true"
  >
    <path d="M7 11v9H4v-9zM7 11l4-8c1.6 0 2.4 1.2 2 3l-.7 3H19a2 2 0 0 1 2 2.3l-1.2 7A2 2 0 0 1 17.8 20H7" />
  </svg>
)
