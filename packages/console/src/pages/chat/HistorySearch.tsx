import type { Message } from "@llm-saas/client"
import { Link } from "@tanstack/react-router"
import { excerptOf } from "../../chat/excerpt.ts"
import { findMessages } from "../../chat/found.ts"
import { ago } from "../../ui/format.ts"
import { Paged, usePages } from "../../ui/Paged.tsx"

interface Props {
  readonly text: string
  readonly onOpen: () => void
}

/** What was found in the user's own questions and answers. Each leads to its place in its conversation. */
export const HistorySearch = ({ onOpen, text }: Props) => {
  const found = usePages<Message>(["found", text], (place) => findMessages(text, place))
  return (
    <Paged pages={found} empty={<p className="soft small">Nothing of yours has this text.</p>}>
      {(rows) => (
        <ul className="conversations" aria-label="Found">
          {rows.map((row) => (
            <li key={row.id} className="conversation-row">
              {row.conversation_id === null ? (
                <div className="conversation-link">
                  <Finding row={row} text={text} />
                  <span className="soft small">Asked without a conversation</span>
                </div>
              ) : (
                <Link
                  to="/chat/{-$conversation}"
                  params={{ conversation: row.conversation_id }}
                  search={{ at: row.id }}
                  className="conversation-link"
                  onClick={onOpen}
                >
                  <Finding row={row} text={text} />
                </Link>
              )}
            </li>
          ))}
        </ul>
      )}
    </Paged>
  )
}

const Finding = ({ row, text }: { readonly row: Message; readonly text: string }) => {
  const { after, before, hit } = excerptOf(row, text)
  return (
    <>
      <span className="small finding">
        {before}
        <mark>{hit}</mark>
        {after}
      </span>
      <time className="soft small" dateTime={row.created_at}>
        {ago(row.created_at)}
      </time>
    </>
  )
}
