import type { ManagedUser } from "@llm-saas/client"
import { useQuery, useQueryClient } from "@tanstack/react-query"
import { withProof } from "../../proof/proof.ts"
import { client } from "../../session/session.ts"
import { Confirm } from "../../ui/Confirm.tsx"
import { ago, moment } from "../../ui/format.ts"
import { Loaded } from "../../ui/Loaded.tsx"
import { Section } from "../../ui/Section.tsx"
import { Table } from "../../ui/Table.tsx"

/** A user's second factors. An admin takes one away from a user who has lost it. */
export const UserFactors = ({ user: { email, id, tenant_id } }: { readonly user: ManagedUser }) => {
  const cache = useQueryClient()
  const key = ["factors", "of", id]
  const again = () => cache.invalidateQueries({ queryKey: ["factors"] })
  const factors = useQuery({ queryKey: key, queryFn: ({ signal }) => client.factors.listOf(tenant_id, id, { signal }) })
  return (
    <Section
      title="Second factors"
      about="Asked for at login beside the password. Remove one for a user who has lost it, and the recovery codes too."
    >
      <Loaded query={factors} what="user">
        {({ data }) =>
          data.length === 0 ? (
            <p className="soft">None: the password is enough, unless the tenant's login policy says otherwise.</p>
          ) : (
            <Table
              label="Second factors"
              rows={data}
              rowKey={(factor) => factor.id}
              columns={[
                { title: "Name", cell: ({ name }) => name },
                { title: "Kind", cell: ({ kind }) => (kind === "totp" ? "One-time codes" : "Passkey") },
                { title: "Added", cell: ({ created_at }) => moment(created_at) },
                {
                  title: "Last used",
                  cell: ({ last_used_at }) =>
                    last_used_at === null ? (
                      <span className="soft">Never</span>
                    ) : (
                      <time dateTime={last_used_at}>{ago(last_used_at)}</time>
                    )
                },
                {
                  title: "Actions",
                  cell: (factor) => (
                    <Confirm
                      label="Remove"
                      look="plain"
                      title={`Remove ${factor.name} of ${email}?`}
                      action="Remove it"
                      run={() =>
                        withProof((options) => client.factors.removeOf(tenant_id, id, factor.id, options)).then(again)
                      }
                    >
                      <div className="stack tight">
                        <p>
                          Make sure that it is they who ask: whoever has their password can log in without this factor
                          then. They are told by mail.
                        </p>
                        <p>With their last factor the recovery codes go too.</p>
                      </div>
                    </Confirm>
                  )
                }
              ]}
            />
          )
        }
      </Loaded>
    </Section>
  )
}
