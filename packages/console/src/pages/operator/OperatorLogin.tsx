import { Link } from "@tanstack/react-router"
import { useEffect, useState } from "react"
import { SERVER_URL } from "../../Place.ts"
import { Empty } from "../../ui/Empty.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { Field } from "../../ui/Field.tsx"
import { Form } from "../../ui/Form.tsx"
import { Snippet } from "../../ui/Snippet.tsx"
import { isRefused, operator, type OperatorState, TOKEN } from "./operator.ts"

const COMMAND = 'npm run operator -- token create --name "console" --days 30'

/** Where the operator gives a token; or that the server has no place for it. */
export const OperatorLogin = ({ state }: { readonly state: OperatorState }) => {
  const [text, setText] = useState("")
  useEffect(() => {
    document.title = "Operator · Console"
  }, [])
  if (state.kind === "off")
    return (
      <main className="page">
        <Empty title="The operator's pages are switched off">
          <p>
            This server runs with <code>OPERATOR=off</code>. Its operator works at another server of the installation,
            or sets <code>OPERATOR=on</code> and starts it again.
          </p>
          <Link to="/" className="button">
            To the start
          </Link>
        </Empty>
      </main>
    )
  const ended = state.kind === "out" && state.ended === true
  const failure = state.kind === "out" ? state.failure : undefined
  const isToken = TOKEN.test(text.trim())
  return (
    <main className="narrow">
      <h1>Operator</h1>
      {ended ? <p className="note warn">The token was revoked, or its days are over. Give another one.</p> : null}
      {failure === undefined ? null : <Failure error={failure} retry={() => location.reload()} />}
      <div className="card stack">
        <Form action="Go on" idle={!isToken} run={() => operator.enter(text.trim())}>
          {(error) => (
            <Field
              label="Operator token"
              type="password"
              autoComplete="off"
              spellCheck={false}
              required
              placeholder="op-…"
              hint="It is kept in this tab only, until you close it or forget the token."
              wrong={
                text !== "" && !isToken
                  ? "An operator token begins with op-."
                  : isRefused(error)
                    ? "No such token: it is mistyped, was revoked, or its days are over."
                    : undefined
              }
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          )}
        </Form>
      </div>
      <div className="stack tight small">
        <p className="soft">
          Tokens are made where the installation runs, with the administrator's connection to the database:
        </p>
        <Snippet label="A command that makes a token" text={COMMAND} />
        <p>
          <Link to="/login">Log in as a user</Link> · <a href={`${SERVER_URL}/docs`}>API documentation</a>
        </p>
      </div>
    </main>
  )
}
