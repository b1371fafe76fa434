import { LlmSaasError, type SsoConnection, type SsoFailure } from "@llm-saas/client"
import { useMutation } from "@tanstack/react-query"
import { client } from "../../session/session.ts"
import { Button } from "../../ui/Button.tsx"
import { Copy } from "../../ui/Copy.tsx"
import { Facts } from "../../ui/Facts.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { Section } from "../../ui/Section.tsx"

const LOOKS = { active: "badge good", disabled: "badge warn", unreadable: "badge bad" } as const

/** How the test of a provider failed: what to look at. */
const REASONS: Readonly<Record<SsoFailure, string>> = {
  not_allowed: "Its address is not one that this installation asks: it must be public, and use https.",
  unreachable: "It does not answer at this address.",
  no_discovery:
    "There is no OpenID Connect configuration at this issuer: compare it with the provider's, letter by letter.",
  refused: "It refuses the client or its secret.",
  invalid_answer: "Its answer is not what OpenID Connect asks for."
}

const isReason = (reason: string): reason is SsoFailure => Object.hasOwn(REASONS, reason)

const reasonOf = (error: unknown): string | undefined => {
  const reason = error instanceof LlmSaasError ? error.problem?.reason : undefined
  return reason !== undefined && isReason(reason) ? REASONS[reason] : undefined
}

/** What there is, where people log in, and whether the provider is there. */
export const SsoState = ({ connection }: { readonly connection: SsoConnection }) => {
  const test = useMutation({ mutationFn: () => client.sso.test(connection.tenant_id) })
  return (
    <Section
      title="The connection"
      actions={
        <Button busy={test.isPending} onClick={() => test.mutate()}>
          Test the provider
        </Button>
      }
    >
      {connection.status === "unreadable" ? (
        <p className="note bad">
          The installation has lost what the client&apos;s secret was encrypted with: logins fail. Enter it again.
        </p>
      ) : null}
      {test.isSuccess ? (
        <p className="note good" role="status">
          The provider is there, with its configuration and keys. Whether it takes the client and its secret shows with
          a login.
        </p>
      ) : null}
      {test.isError ? <Failure error={test.error}>{reasonOf(test.error)}</Failure> : null}
      <Facts
        of={[
          [
            "Status",
            <span key="status" className={LOOKS[connection.status]}>
              {connection.status}
            </span>
          ],
          ["The client's secret", connection.has_secret ? "Stored, encrypted" : "None: a public client"]
        ]}
      />
      <Address label="People log in here" text={connection.login_url} />
      <Address label="Register this redirect URI at the provider" text={connection.redirect_uri} />
    </Section>
  )
}

export const Address = ({ label, text }: { readonly label: string; readonly text: string }) => (
  <div className="stack tight">
    <span className="soft small">{label}</span>
    <div className="row">
      <code className="breakable">{text}</code>
      <Copy text={text} />
    </div>
  </div>
)
