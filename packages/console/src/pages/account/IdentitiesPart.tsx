import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { CONSOLE_PATH } from "../../Place.ts"
import { withProof } from "../../proof/proof.ts"
import { client } from "../../session/session.ts"
import { Button } from "../../ui/Button.tsx"
import { Confirm } from "../../ui/Confirm.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { ago, day } from "../../ui/format.ts"
import { Loading } from "../../ui/Loading.tsx"
import { Table } from "../../ui/Table.tsx"

const KEY = ["identities"]

/** Buttons that link the person's login at a provider of the installation: it is asked there, and the browser comes back. */
const LinkProvider = () => {
  const providers = useQuery({ queryKey: ["providers"], queryFn: ({ signal }) => client.sso.providers({ signal }) })
  const linking = useMutation({
    mutationFn: (provider: string) =>
      withProof((proof) => client.identities.link({ provider, return_to: `${CONSOLE_PATH}account/security` }, proof)),
    onSuccess: (goal) => location.assign(goal.location)
  })
  return (
    <div className="row">
      {(providers.data ?? []).map(({ name, title }) => (
        <Button key={name} busy={linking.isPending} onClick={() => linking.mutate(name)}>
          Link {title}
        </Button>
      ))}
      {linking.isError ? <Failure error={linking.error} /> : null}
    </div>
  )
}

/** Who at which provider logs in to the account. */
export const IdentitiesPart = () => {
  const identities = useQuery({ queryKey: KEY, queryFn: ({ signal }) => client.identities.list({ signal }) })
  const cache = useQueryClient()
  return (
    <section className="part" aria-labelledby="identities">
      <div className="part-head">
        <div className="stack tight">
          <h2 id="identities">Single sign-on</h2>
          <p className="soft">
            People at identity providers who log in to your account. There should be nobody but you.
          </p>
        </div>
        <LinkProvider />
      </div>
      {identities.isPending ? (
        <Loading />
      ) : identities.data === undefined ? (
        <Failure error={identities.error} retry={() => void identities.refetch()} />
      ) : identities.data.length === 0 ? (
        <p className="soft">None: nobody logs in to it elsewhere.</p>
      ) : (
        <Table
          label="People at identity providers"
          rows={identities.data}
          rowKey={({ id }) => id}
          columns={[
            { title: "Provider", cell: ({ issuer }) => <span className="long">{issuer}</span> },
            { title: "Known there as", cell: ({ subject }) => <code className="long">{subject}</code> },
            { title: "Since", cell: ({ created_at }) => day(created_at.slice(0, 10)) },
            {
              title: "Last login",
              cell: ({ last_login_at }) =>
                last_login_at === null ? (
                  <span className="soft">Never</span>
                ) : (
                  <time dateTime={last_login_at}>{ago(last_login_at)}</time>
                )
            },
            {
              title: "Unlink",
              cell: ({ id, issuer }) => (
                <Confirm
                  label="Unlink"
                  look="plain"
                  title="Unlink this person?"
                  action="Unlink"
                  run={() =>
                    withProof((proof) => client.identities.remove(id, proof)).then(() =>
                      cache.invalidateQueries({ queryKey: KEY })
                    )
                  }
                >
                  They do not log in to your account by {issuer} any more. A later login there with your confirmed
                  address may link it again.
                </Confirm>
              )
            }
          ]}
        />
      )}
    </section>
  )
}
