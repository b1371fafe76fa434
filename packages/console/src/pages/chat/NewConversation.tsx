import { LlmSaasError } from "@llm-saas/client"
import { useMutation, useQueryClient } from "@tanstack/react-query"
import { useNavigate } from "@tanstack/react-router"
import { useEffect, useState } from "react"
import { Composer } from "../../chat/Composer.ts"
import { NEW, writeDraft } from "../../chat/Drafts.ts"
import type { Asking } from "../../chat/LiveAnswer.ts"
import { CONVERSATION, CONVERSATIONS, threadOf } from "../../chat/threads.ts"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { ComposerForm } from "./ComposerForm.tsx"
import { Instructions } from "./Instructions.tsx"
import { ModelChoice } from "./ModelChoice.tsx"
import { Refusal } from "./Refusal.tsx"

/** A conversation that begins with its first question: until then nothing of it is stored. */
export const NewConversation = () => {
  const { tenant } = useProfile()
  const [composer] = useState(() => new Composer(NEW))
  const [model, setModel] = useState<string | null>(null)
  const [system, setSystem] = useState<string | null>(null)
  const cache = useQueryClient()
  const navigate = useNavigate()
  const begin = useMutation({
    mutationFn: async (_: Asking) => client.conversations.create({ model, system }),
    onSuccess: (conversation, asking) => {
      const thread = threadOf(conversation.id)
      thread.begin()
      void thread.ask(asking)
      writeDraft(NEW, { text: "" })
      cache.setQueryData([...CONVERSATION, conversation.id], conversation)
      void cache.invalidateQueries({ queryKey: CONVERSATIONS })
      void navigate({ to: "/chat/{-$conversation}", params: { conversation: conversation.id } })
    },
    onError: (error, asking) => composer.giveBack(asking, error instanceof LlmSaasError && error.status === 0)
  })
  useEffect(() => {
    document.title = "New conversation · Console"
  }, [])
  return (
    <section className="conversation begins" aria-label="New conversation">
      <div className="welcome">
        <h1>What would you like to know?</h1>
        <p className="soft">
          Your questions and their answers are kept in {tenant.name}, and other tenants never see them.
        </p>
      </div>
      <div className="composer-place">
        {begin.isError ? <Refusal error={begin.error} /> : null}
        <ComposerForm
          composer={composer}
          sending={begin.isPending}
          stopping={false}
          onStop={undefined}
          onSend={() => {
            const asking = composer.take()
            if (asking !== undefined) begin.mutate(asking)
          }}
        >
          <ModelChoice model={model} onChoose={setModel} />
          <Instructions system={system} save={async (next) => setSystem(next)} />
        </ComposerForm>
      </div>
    </section>
  )
}
