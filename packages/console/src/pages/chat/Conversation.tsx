import { LlmSaasError, type Message } from "@llm-saas/client"
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { useEffect, useState, useSyncExternalStore } from "react"
import { newKey } from "../../chat/Composer.ts"
import type { Asking } from "../../chat/LiveAnswer.ts"
import { CONVERSATION, CONVERSATIONS, threadOf } from "../../chat/threads.ts"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { Button } from "../../ui/Button.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { Loading } from "../../ui/Loading.tsx"
import { Announced } from "./Announced.tsx"
import { ComposerForm } from "./ComposerForm.tsx"
import { Instructions } from "./Instructions.tsx"
import { Messages } from "./Messages.tsx"
import { ModelChoice } from "./ModelChoice.tsx"
import { Refusal } from "./Refusal.tsx"
import { useEscape } from "./useEscape.ts"

/** One conversation, at one of its messages if `at` names one, else at its end. One that is not the user's, or is of another tenant, does not exist. Mount anew for each: `key`. */
export const Conversation = ({ at, id }: { readonly id: string; readonly at: string | undefined }) => {
  const [thread] = useState(() => threadOf(id))
  const state = useSyncExternalStore(thread.subscribe, () => thread.state)
  const profile = useProfile()
  const cache = useQueryClient()
  const conversation = useQuery({
    queryKey: [...CONVERSATION, id],
    queryFn: ({ signal }) => client.conversations.get(id, { signal })
  })
  const change = useMutation({
    mutationFn: (members: { readonly model?: string | null; readonly system?: string | null }) =>
      client.conversations.change(id, members),
    onSuccess: (changed) => {
      cache.setQueryData([...CONVERSATION, id], changed)
      void cache.invalidateQueries({ queryKey: CONVERSATIONS })
    }
  })
  const { composer } = thread
  const [editing, setEditing] = useState<Message>()
  const live = state.live.at(-1)
  const title = conversation.data?.title ?? "Untitled"

  useEffect(() => {
    const look = () => {
      if (document.visibilityState === "visible") void thread.refresh()
    }
    look()
    document.addEventListener("visibilitychange", look)
    return () => document.removeEventListener("visibilitychange", look)
  }, [thread])
  useEffect(() => {
    document.title = `${title} · Console`
  }, [title])
  const { refused } = state

  const stopping = useSyncExternalStore(live?.subscribe ?? never, () => live?.stopping ?? false)
  const stop = live === undefined ? undefined : () => void live.stop()
  useEscape(stop)

  const missing = [conversation.error, state.failure].find(isMissing)
  if (missing !== undefined)
    return (
      <section className="conversation" aria-label="Conversation">
        <Empty title="This conversation does not exist">
          <p>It was deleted, or it was never yours.</p>
          <Link to="/chat/{-$conversation}" params={{ conversation: undefined }} className="button">
            Begin a new one
          </Link>
        </Empty>
      </section>
    )
  const send = (asking: Asking | undefined, replaces?: Message) => {
    if (asking === undefined) return
    setEditing(undefined)
    void thread.ask(asking, replaces)
  }
  const isOwn = conversation.data === undefined || conversation.data.user_id === profile.id
  const canAsk = isOwn && live === undefined && state.older !== "unread"
  return (
    <section className="conversation" aria-label="Conversation">
      <h1 className="visually-hidden">{title}</h1>
      {state.failure !== undefined && state.older === "unread" ? (
        <div className="page">
          <Failure error={state.failure} retry={() => void thread.refresh()} />
        </div>
      ) : state.older === "unread" || (state.older === "reading" && state.messages.length === 0) ? (
        <Loading />
      ) : (
        <Messages
          thread={thread}
          state={state}
          at={at}
          onAgain={
            canAsk
              ? (message) =>
                  send({ content: message.content, files: thread.filesOf(message.id) ?? [], key: newKey() }, message)
              : undefined
          }
          onEdit={
            canAsk
              ? (message) => {
                  setEditing(message)
                  composer.giveBack(
                    { content: message.content, files: thread.filesOf(message.id) ?? [], key: "" },
                    false
                  )
                }
              : undefined
          }
        />
      )}
      <Announced live={live} last={state.messages.at(-1)} />
      <div className="composer-place">
        {refused?.error === undefined ? null : <Refusal error={refused.error} />}
        {change.isError ? <Failure error={change.error} /> : null}
        {editing === undefined ? null : (
          <div className="row small note">
            <span className="grow">Sending deletes the last question with its answer, and asks this instead.</span>
            <Button look="plain" onClick={() => setEditing(undefined)}>
              Keep both
            </Button>
          </div>
        )}
        {isOwn ? (
          <ComposerForm
            composer={composer}
            sending={false}
            stopping={stopping}
            onStop={stop}
            onSend={() => send(composer.take(), editing)}
          >
            <ModelChoice
              model={conversation.data?.model ?? null}
              disabled={conversation.data === undefined || change.isPending}
              onChoose={(model) => change.mutate({ model })}
            />
            <Instructions
              system={conversation.data?.system ?? null}
              save={(system) => change.mutateAsync({ system })}
            />
          </ComposerForm>
        ) : (
          <p className="note">This is a conversation of another user of your tenant. You can read it.</p>
        )}
      </div>
    </section>
  )
}

const never = () => () => {}

/** There is no such conversation; or its id in the address is none. */
const isMissing = (error: unknown): boolean =>
  error instanceof LlmSaasError
  && (error.code === "conversation_not_found" || error.code === "invalid_request" || error.code === "not_found")
