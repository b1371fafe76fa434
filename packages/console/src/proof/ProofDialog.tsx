import type { Prove } from "@llm-saas/client"
import { useMutation } from "@tanstack/react-query"
import { useState, useSyncExternalStore } from "react"
import { client } from "../session/session.ts"
import { Button } from "../ui/Button.tsx"
import { Dialog } from "../ui/Dialog.tsx"
import { Failure } from "../ui/Failure.tsx"
import { Field } from "../ui/Field.tsx"
import { CodeField } from "./CodeField.tsx"
import { hasPasskeys, askPasskey } from "./passkeys.ts"
import { type Methods, proofAsked } from "./proof.ts"

/** Asks who is there, before what protects an account is changed. One for all pages, in their frame: see `withProof`. */
export const ProofDialog = () => {
  const asked = useSyncExternalStore(proofAsked.subscribe, () => proofAsked.now)
  return (
    <Dialog title="Is it you?" open={asked !== undefined} onClose={() => asked?.answer(undefined)}>
      {asked === undefined ? null : <Ways methods={asked.methods} answer={asked.answer} />}
    </Dialog>
  )
}

const Ways = ({
  answer,
  methods
}: {
  readonly methods: Methods
  readonly answer: NonNullable<typeof proofAsked.now>["answer"]
}) => {
  const [recovery, setRecovery] = useState(false)
  const [text, setText] = useState("")
  const proving = useMutation({ mutationFn: (given: Prove) => client.factors.prove(given), onSuccess: answer })
  const byPasskey = useMutation({
    mutationFn: async () => {
      const { challenge, options } = await client.factors.passkeyProof()
      return client.factors.prove({ challenge, passkey: await askPasskey(options) })
    },
    onSuccess: answer
  })
  const has = (method: Methods[number]) => methods.includes(method)
  const typed: "password" | "code" | "recovery_code" | undefined = has("password")
    ? "password"
    : has("totp") && !recovery
      ? "code"
      : has("recovery_code") && (recovery || !has("passkey"))
        ? "recovery_code"
        : undefined
  return (
    <>
      <p className="soft">
        This protects your account. Prove once more that it is you; it then holds for some minutes.
      </p>
      {has("passkey") && hasPasskeys() ? (
        <Button
          look={typed === undefined ? "primary" : "normal"}
          busy={byPasskey.isPending}
          onClick={() => byPasskey.mutate()}
        >
          Use a passkey
        </Button>
      ) : null}
      {byPasskey.isError ? <Failure error={byPasskey.error} /> : null}
      {typed === undefined ? null : (
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault()
            proving.mutate(typed === "password" ? { password: text } : { [typed]: text.trim() })
          }}
        >
          {typed === "password" ? (
            <Field
              label="Password"
              type="password"
              autoComplete="current-password"
              required
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          ) : (
            <CodeField recovery={typed === "recovery_code"} value={text} onChange={setText} />
          )}
          {proving.isError ? <Failure error={proving.error} /> : null}
          <Button type="submit" look="primary" busy={proving.isPending}>
            It is me
          </Button>
        </form>
      )}
      {has("recovery_code") ? (
        <Button
          look="plain"
          onClick={() => {
            setRecovery(!recovery)
            setText("")
            proving.reset()
          }}
        >
          {recovery ? "Use something else" : "Use a recovery code"}
        </Button>
      ) : null}
    </>
  )
}
