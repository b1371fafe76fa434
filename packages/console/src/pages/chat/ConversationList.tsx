import type { Conversation } from "@llm-saas/client"
import { useQueryClient } from "@tanstack/react-query"
import { Link, useNavigate } from "@tanstack/react-router"
import { useState } from "react"
import { CONVERSATION, CONVERSATIONS, forgetThread } from "../../chat/threads.ts"
import { client } from "../../session/session.ts"
import { Button } from "../../ui/Button.tsx"
import { Dialog } from "../../ui/Dialog.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { Field } from "../../ui/Field.tsx"
import { Form } from "../../ui/Form.tsx"
import { ago } from "../../ui/format.ts"
import { Menu, MenuItem } from "../../ui/Menu.tsx"
import { Paged, usePages } from "../../ui/Paged.tsx"
import { HistorySearch } from "./HistorySearch.tsx"
import { SearchField } from "./SearchField.tsx"

interface Props {
  /** The one that is shown. */
  readonly open: string | undefined
  readonly onOpen: () => void
}

/** The user's own conversations, newest first. */
export const ConversationList = ({ onOpen, open }: Props) => {
  const conversations = usePages<Conversation>(CONVERSATIONS, ({ signal, ...place }) =>
    client.conversations.list(place, { signal })
  )
  const [search, setSearch] = useState<string>()
  const [about, setAbout] = useState<{ readonly row: Conversation; readonly to: "rename" | "delete" }>()
  return (
    <>
      <Link
        to="/chat/{-$conversation}"
        params={{ conversation: undefined }}
        className="button"
        activeOptions={{ exact: true }}
        onClick={onOpen}
      >
        New conversation
      </Link>
      <SearchField onSearch={setSearch} />
      {search === undefined ? null : <HistorySearch key={search} text={search} onOpen={onOpen} />}
      <div hidden={search !== undefined}>
        <Paged pages={conversations} empty={<p className="soft small">Your conversations will be here.</p>}>
          {(rows) => (
            <ul className="conversations">
              {rows.map((row) => (
                <li key={row.id} className="conversation-row" data-open={row.id === open}>
                  <Link
                    to="/chat/{-$conversation}"
                    params={{ conversation: row.id }}
                    className="conversation-link"
                    onClick={onOpen}
                  >
                    <span className="conversation-title">{row.title ?? "Untitled"}</span>
                    <time className="soft small" dateTime={row.updated_at}>
                      {ago(row.updated_at)}
                    </time>
                  </Link>
                  <Menu
                    trigger={
                      <Button look="plain" className="icon" aria-label={`What to do with ${row.title ?? "Untitled"}`}>
                        ⋯
                      </Button>
                    }
                  >
                    <MenuItem onSelect={() => setAbout({ row, to: "rename" })}>Rename</MenuItem>
                    <MenuItem danger onSelect={() => setAbout({ row, to: "delete" })}>
                      Delete
                    </MenuItem>
                  </Menu>
                </li>
              ))}
            </ul>
          )}
        </Paged>
      </div>
      <Dialog
        title={about?.to === "delete" ? "Delete this conversation?" : "Rename this conversation"}
        open={about !== undefined}
        onClose={() => setAbout(undefined)}
      >
        {about === undefined ? null : about.to === "rename" ? (
          <Rename row={about.row} close={() => setAbout(undefined)} />
        ) : (
          <Delete row={about.row} isOpen={about.row.id === open} close={() => setAbout(undefined)} />
        )}
      </Dialog>
    </>
  )
}

const Rename = ({ close, row }: { readonly row: Conversation; readonly close: () => void }) => {
  const cache = useQueryClient()
  const [title, setTitle] = useState(row.title ?? "")
  return (
    <Form
      action="Rename"
      run={() => client.conversations.rename(row.id, title.trim() === "" ? null : title.trim())}
      onDone={(renamed) => {
        cache.setQueryData([...CONVERSATION, row.id], renamed)
        void cache.invalidateQueries({ queryKey: CONVERSATIONS })
        close()
      }}
      onCancel={close}
    >
      {(error) => (
        <Field
          label="Title"
          hint="Empty: the next question gives it one."
          maxLength={200}
          value={title}
          wrong={wrongOf(error, "title")}
          onChange={(event) => setTitle(event.target.value)}
        />
      )}
    </Form>
  )
}

const Delete = ({
  close,
  isOpen,
  row
}: {
  readonly row: Conversation
  readonly isOpen: boolean
  readonly close: () => void
}) => {
  const cache = useQueryClient()
  const navigate = useNavigate()
  return (
    <Form
      action="Delete it"
      run={() => client.conversations.remove(row.id)}
      onDone={() => {
        forgetThread(row.id)
        cache.removeQueries({ queryKey: [...CONVERSATION, row.id] })
        void cache.invalidateQueries({ queryKey: CONVERSATIONS })
        close()
        if (isOpen) void navigate({ to: "/chat/{-$conversation}", params: { conversation: undefined } })
      }}
      onCancel={close}
    >
      {() => (
        <p>
          “{row.title ?? "Untitled"}” is deleted with all its questions and answers. An answer under way is stopped.
          This cannot be undone.
        </p>
      )}
    </Form>
  )
}
