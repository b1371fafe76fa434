import type { SsoConnection, SsoDomain } from "@llm-saas/client"
import { useMutation } from "@tanstack/react-query"
import { client } from "../../session/session.ts"
import { Button } from "../../ui/Button.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { Section } from "../../ui/Section.tsx"
import { toast } from "../../ui/Toasts.tsx"
import { Address } from "./SsoState.tsx"

interface Props {
  readonly connection: SsoConnection
  readonly tenant: string
  readonly onProven: (now: SsoConnection) => void
}

/** The domains of the company's addresses, and how each is proven. */
export const SsoDomains = ({ connection, onProven, tenant }: Props) => (
  <Section
    title="Domains"
    about="The login form leads people with addresses of a proven domain to your provider. Who controls a domain's DNS has proven it; the record may go afterwards."
  >
    {connection.domains.map((domain) => (
      <Domain key={domain.domain} of={domain} tenant={tenant} onProven={onProven} />
    ))}
  </Section>
)

const Domain = ({
  of: { domain, record, routed },
  onProven,
  tenant
}: Omit<Props, "connection"> & { readonly of: SsoDomain }) => {
  const prove = useMutation({
    mutationFn: () => client.sso.proveDomain(tenant, domain),
    onSuccess: (now) => {
      toast(`${domain} is proven.`)
      onProven(now)
    }
  })
  return (
    <div className="card stack">
      <div className="row between">
        <span className="row">
          <strong>{domain}</strong>
          <span className={routed ? "badge good" : "badge warn"}>{routed ? "proven" : "not proven"}</span>
        </span>
        {routed ? null : (
          <Button busy={prove.isPending} onClick={() => prove.mutate()}>
            Look for the record
          </Button>
        )}
      </div>
      {routed ? null : (
        <>
          <p className="soft small">
            Add this {record.type} record to the domain&apos;s DNS, and then look for it here. A new record may take
            minutes, or some hours, until it is seen.
          </p>
          <Address label="Name" text={record.name} />
          <Address label="Value" text={record.value} />
        </>
      )}
      {prove.isError ? <Failure error={prove.error} /> : null}
    </div>
  )
}
