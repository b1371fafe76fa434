import type { Message } from "@llm-saas/client"
import { useEffect, useMemo, useRef } from "react"
import { Virtualizer, type VirtualizerHandle } from "virtua"
import type { Attached } from "../../chat/attachments.ts"
import type { LiveAnswer } from "../../chat/LiveAnswer.ts"
import type { Thread, ThreadState } from "../../chat/Thread.ts"
import { Button } from "../../ui/Button.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { Turn } from "./Turn.tsx"
import { TurnActions } from "./TurnActions.tsx"
import { useFollowing } from "./useFollowing.ts"

interface Props {
  readonly thread: Thread
  readonly state: ThreadState
  /** The message to look at first; undefined: the newest. */
  readonly at: string | undefined
  /** Undefined: nothing can be asked now. */
  readonly onAgain: ((message: Message) => void) | undefined
  readonly onEdit: ((message: Message) => void) | undefined
}

interface Item {
  readonly name: string
  readonly message: Message | undefined
  readonly live: LiveAnswer | undefined
  readonly files: ReadonlyArray<Attached>
}

/** Pixels from the beginning at which the page before is fetched. */
const EARLY = 1500
/** Pixels that an item is thought to have before it was measured. Guessed from one long answer, the next would be thought as long. */
const ESTIMATE = 240
const NO_FILES: ReadonlyArray<Attached> = []

/** The messages of a conversation. Only those in view are in the document; older ones are fetched as one scrolls up. */
export const Messages = ({ at, onAgain, onEdit, state, thread }: Props) => {
  const { failure, live, messages, older } = state
  const readMore = (element: HTMLElement | null) => {
    if (element !== null && element.scrollTop < EARLY && older === "more" && failure === undefined)
      void thread.readOlder()
  }
  const { following, scroller, stay, toEnd } = useFollowing(readMore)
  const items = useMemo(
    (): ReadonlyArray<Item> => [
      ...messages.map((message) => ({
        name: thread.nameOf(message.id),
        message,
        live: undefined,
        files: thread.filesOf(message.id) ?? NO_FILES
      })),
      ...live.map((live) => ({ name: live.name, message: undefined, live, files: live.asking.files }))
    ],
    [thread, messages, live]
  )
  const asked = live.at(-1)?.asking.key
  useEffect(() => {
    if (asked !== undefined && asked !== "") toEnd()
  }, [asked, toEnd])
  // Read back until it is there, then show it. Once: from there on the reader moves.
  const list = useRef<VirtualizerHandle>(null)
  const shown = useRef<string>(undefined)
  useEffect(() => {
    if (at === undefined || shown.current === at) return
    const index = messages.findIndex(({ id }) => id === at)
    if (index === -1) {
      if (older === "more" && failure === undefined) void thread.readOlder()
      return
    }
    shown.current = at
    stay()
    list.current?.scrollToIndex(index, { align: "start" })
  }, [at, failure, messages, older, stay, thread])
  const last = messages.at(-1)
  return (
    <div className="messages">
      <div className="messages-scroll" ref={scroller} role="region" aria-label="Messages" tabIndex={0}>
        <Virtualizer
          ref={list}
          data={items}
          shift={state.prepended}
          bufferSize={600}
          itemSize={ESTIMATE}
          keepMounted={items.length === 0 ? [] : [items.length - 1]}
          onScroll={() => readMore(scroller.current)}
        >
          {({ files, live, message, name }) => (
            <Turn
              key={name}
              message={message}
              live={live}
              files={files}
              actions={
                message === undefined ? null : (
                  <TurnActions
                    thread={thread}
                    message={message}
                    onAgain={message === last && onAgain !== undefined ? () => onAgain(message) : undefined}
                    onEdit={message === last && onEdit !== undefined ? () => onEdit(message) : undefined}
                  />
                )
              }
            />
          )}
        </Virtualizer>
      </div>
      <div className="messages-top">
        {older === "reading" ? (
          <span className="chip" role="status">
            Fetching older messages
          </span>
        ) : failure === undefined ? null : (
          <Failure error={failure} retry={() => void thread.readOlder()} />
        )}
      </div>
      {items.length === 0 ? (
        <div className="messages-empty">
          <Empty title="Nothing was asked here yet">
            <p>Write the first question below.</p>
          </Empty>
        </div>
      ) : null}
      {following ? null : (
        <Button className="to-end" onClick={toEnd}>
          To the newest
        </Button>
      )}
    </div>
  )
}
