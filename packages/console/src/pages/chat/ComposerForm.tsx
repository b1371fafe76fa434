import { type ReactNode, useEffect, useRef, useSyncExternalStore } from "react"
import { ACCEPTED } from "../../chat/attachments.ts"
import type { Composer } from "../../chat/Composer.ts"
import { Button } from "../../ui/Button.tsx"
import { Files } from "./Files.tsx"

interface Props {
  readonly composer: Composer
  readonly onSend: () => void
  /** An answer is under way, and can be stopped; the next question can be written meanwhile. */
  readonly onStop: (() => void) | undefined
  readonly stopping: boolean
  readonly sending: boolean
  /** Choices beside the files, such as of the model. */
  readonly children: ReactNode
}

/** Lines of the input where it does not grow by its style. */
const MOST_LINES = 8

/** Where questions are written. Enter sends, Shift and Enter begin a new line; files are chosen, pasted or dropped. */
export const ComposerForm = ({ children, composer, onSend, onStop, sending, stopping }: Props) => {
  const input = useRef<HTMLTextAreaElement>(null)
  const picker = useRef<HTMLInputElement>(null)
  const { files, refused, text } = useSyncExternalStore(composer.subscribe, () => composer.state)
  const canSend = text.trim() !== "" && onStop === undefined && !sending
  useEffect(() => composer.attach(() => input.current?.focus({ preventScroll: true })), [composer])
  useDrop(composer.add)
  return (
    // No form: the dialogs of its choices have forms of their own, and one in another is none.
    <div className="composer" role="group" aria-label="Question">
      {refused.map((each) => (
        <div key={each} className="wrong small" role="alert">
          {each}
        </div>
      ))}
      <Files files={files} onRemove={composer.remove} />
      <textarea
        ref={input}
        className="composer-text"
        aria-label="Your question"
        placeholder="Ask something"
        rows={Math.min(MOST_LINES, text.split("\n").length)}
        value={text}
        onChange={(event) => composer.write(event.target.value)}
        onPaste={(event) => {
          const pasted = [...event.clipboardData.files]
          if (pasted.length === 0) return
          event.preventDefault()
          void composer.add(pasted)
        }}
        onKeyDown={(event) => {
          // While an input method composes a word, Enter is its own.
          if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return
          event.preventDefault()
          if (canSend) onSend()
        }}
      />
      <div className="row">
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          accept={ACCEPTED}
          aria-label="Files"
          onChange={(event) => {
            void composer.add([...(event.target.files ?? [])])
            event.target.value = ""
          }}
        />
        <Button look="plain" onClick={() => picker.current?.click()}>
          Add files
        </Button>
        {children}
        <div className="grow" />
        {onStop === undefined ? (
          <Button look="primary" className="send" disabled={!canSend} busy={sending} onClick={onSend}>
            Send
          </Button>
        ) : (
          <Button onClick={onStop} busy={stopping} title="Escape">
            Stop
          </Button>
        )}
      </div>
    </div>
  )
}

/** Files that are dropped anywhere on the page: the browser would leave it, and show them instead. */
const useDrop = (add: (files: ReadonlyArray<File>) => Promise<void>) => {
  useEffect(() => {
    const over = (event: DragEvent) => event.preventDefault()
    const dropped = (event: DragEvent) => {
      event.preventDefault()
      void add([...(event.dataTransfer?.files ?? [])])
    }
    addEventListener("dragover", over)
    addEventListener("drop", dropped)
    return () => {
      removeEventListener("dragover", over)
      removeEventListener("drop", dropped)
    }
  }, [add])
}
