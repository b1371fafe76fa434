import { useParams, useSearch } from "@tanstack/react-router"
import { useState } from "react"
import { Button } from "../../ui/Button.tsx"
import { Conversation } from "./Conversation.tsx"
import { ConversationList } from "./ConversationList.tsx"
import { NewConversation } from "./NewConversation.tsx"
import "./chat.css"

/** The user's conversations, and one of them, or a new one. */
export const ChatPage = () => {
  const { conversation } = useParams({ strict: false })
  const { at: message } = useSearch({ from: "/users/chat/{-$conversation}" })
  // On a phone the list is open at one conversation, and closed again at the next.
  const [openAt, setOpenAt] = useState<string>()
  const at = conversation ?? ""
  return (
    <div className="chat" data-list={openAt === at ? "open" : "closed"}>
      <div className="chat-bar">
        <Button
          look="plain"
          aria-expanded={openAt === at}
          aria-controls="conversations"
          onClick={() => setOpenAt(openAt === at ? undefined : at)}
        >
          {openAt === at ? "Back to the conversation" : "Conversations"}
        </Button>
      </div>
      <aside className="chat-list" id="conversations" aria-label="Conversations">
        <ConversationList open={conversation} onOpen={() => setOpenAt(undefined)} />
      </aside>
      <div className="chat-main">
        {conversation === undefined ? (
          <NewConversation />
        ) : (
          <Conversation key={conversation} id={conversation} at={message} />
        )}
      </div>
    </div>
  )
}
