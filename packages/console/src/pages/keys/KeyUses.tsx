import type { NewApiKey } from "@llm-saas/client"
import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { client } from "../../session/session.ts"
import { Choice } from "../../ui/Field.tsx"
import { Snippet } from "../../ui/Snippet.tsx"
import { commandOf, programsOf } from "./keyUses.ts"

/** A key that may chat, whose secret is shown this once: the key, a command and programs that work with it as they are. */
export const KeyUses = ({ made, secret }: { readonly made: NewApiKey; readonly secret: string }) => {
  const models = useQuery({ queryKey: ["models"], queryFn: ({ signal }) => client.models({ signal }) })
  const model = models.data?.[0]?.id
  const programs = model === undefined ? {} : programsOf(secret, model)
  const [chosen, setChosen] = useState("OpenAI for Python")
  const program = programs[chosen]
  return (
    <>
      <p className="note warn">Copy the key now: it is shown this once.</p>
      <h2>The key</h2>
      <Snippet label="The key" text={secret} />
      <h2>Try it in a terminal</h2>
      <Snippet label="A command that asks with the key" text={commandOf(made)} />
      {program === undefined ? null : (
        <>
          <h2>In a program</h2>
          <Choice label="SDK" value={chosen} onChange={({ target }) => setChosen(target.value)}>
            {Object.keys(programs).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </Choice>
          <Snippet label={`A program that asks with the key, ${chosen}`} text={program} />
        </>
      )}
    </>
  )
}
