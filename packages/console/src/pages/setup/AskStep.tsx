import { useMutation } from "@tanstack/react-query"
import { useEffect, useRef, useState } from "react"
import { client } from "../../session/session.ts"
import { Button } from "../../ui/Button.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { TextField } from "../../ui/Field.tsx"

/** A first question, whose answer comes word by word. */
export const AskStep = ({ mock, onNext }: { readonly mock: boolean; readonly onNext: () => void }) => {
  const [question, setQuestion] = useState("What can a tenant do here?")
  const [answer, setAnswer] = useState("")
  const leaving = useRef(new AbortController())
  useEffect(() => {
    const controller = new AbortController()
    leaving.current = controller
    return () => controller.abort()
  }, [])
  const asking = useMutation({
    mutationFn: async () => {
      setAnswer("")
      const { signal } = leaving.current
      for await (const event of client.messages.stream({ content: question }, { signal }))
        if (event.type === "delta") setAnswer((before) => before + event.text)
    }
  })
  return (
    <form
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault()
        asking.mutate()
      }}
    >
      {mock ? (
        <p className="soft">
          There is no provider yet: a mock answers, which makes its sentences up. Everything else is real.
        </p>
      ) : null}
      <TextField
        label="Question"
        rows={2}
        required
        value={question}
        onChange={(event) => setQuestion(event.target.value)}
      />
      <div className="row">
        <Button type="submit" look={asking.isSuccess ? "normal" : "primary"} busy={asking.isPending}>
          {asking.isSuccess ? "Ask again" : "Ask"}
        </Button>
      </div>
      {answer === "" && !asking.isPending ? null : (
        <div className="answer" aria-live="polite" aria-busy={asking.isPending} aria-label="Answer" role="region">
          {answer}
        </div>
      )}
      {asking.isError ? <Failure error={asking.error} /> : null}
      <div className="row">
        <Button look={asking.isSuccess ? "primary" : "plain"} disabled={asking.isPending} onClick={onNext}>
          {asking.isSuccess ? "Continue" : "Skip"}
        </Button>
      </div>
    </form>
  )
}
