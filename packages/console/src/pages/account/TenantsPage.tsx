import type { Membership } from "@llm-saas/client"
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { type Challenge, challengeOf } from "../../session/Challenge.ts"
import { client, session } from "../../session/session.ts"
import { Button } from "../../ui/Button.tsx"
import { Dialog } from "../../ui/Dialog.tsx"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { Failure, wrongOf } from "../../ui/Failure.tsx"
import { Field } from "../../ui/Field.tsx"
import { Form } from "../../ui/Form.tsx"
import { Loading } from "../../ui/Loading.tsx"
import { Page } from "../../ui/Page.tsx"
import { Table } from "../../ui/Table.tsx"
import { SecondStep } from "../login/SecondStep.tsx"

const KEY = ["memberships"]

/** The person's accounts in several tenants, and how to go on in another. */
export const TenantsPage = () => {
  const tenants = useQuery({ queryKey: KEY, queryFn: ({ signal }) => client.memberships.list({ signal }) })
  const cache = useQueryClient()
  return (
    <Page
      title="My tenants"
      about="Your accounts in other tenants, with the same address. Each has a role and a password of its own."
      actions={
        <DialogButton label="Add a tenant" title="Add a tenant that you have an account in">
          {(close) => (
            <AddTenant
              onAdded={(list) => {
                cache.setQueryData(KEY, list)
                close()
              }}
              onClose={close}
            />
          )}
        </DialogButton>
      }
    >
      {tenants.isPending ? (
        <Loading />
      ) : tenants.data === undefined ? (
        <Failure error={tenants.error} retry={() => void tenants.refetch()} />
      ) : (
        <>
          <Table
            label="My tenants"
            rows={tenants.data}
            rowKey={({ tenant_id }) => tenant_id}
            columns={[
              {
                title: "Tenant",
                cell: ({ name, tenant_id }) => (
                  <div className="stack tight">
                    <span>{name}</span>
                    <code className="soft">{tenant_id}</code>
                  </div>
                )
              },
              { title: "Role", cell: ({ role }) => (role === "admin" ? "Admin" : "User") },
              {
                title: "Go on there",
                cell: (row) => (row.current ? <span className="badge good">You are here</span> : <Switch to={row} />)
              }
            ]}
          />
          {tenants.data.length > 1 ? null : (
            <p className="soft">
              You have an account elsewhere? Add its tenant by your password there. It is in this list for as long as
              this session lasts.
            </p>
          )}
        </>
      )}
    </Page>
  )
}

/** Goes on as the account there: the page begins anew, so that nothing of this tenant is left in it. */
const Switch = ({ to: { name, tenant_id } }: { readonly to: Membership }) => {
  const [challenge, setChallenge] = useState<Challenge>()
  const entering = useMutation({
    mutationFn: () => client.memberships.enter(tenant_id, { cookie: true }),
    onSuccess: () => session.switched(),
    onError: (error) => setChallenge(challengeOf(error))
  })
  return (
    <>
      <Button busy={entering.isPending} onClick={() => entering.mutate()} aria-label={`Switch to ${name}`}>
        Switch
      </Button>
      {entering.isError && challengeOf(entering.error) === undefined ? <Failure error={entering.error} /> : null}
      <Dialog
        title={`One more step for ${name}`}
        open={challenge !== undefined}
        onClose={() => setChallenge(undefined)}
      >
        {challenge === undefined ? null : (
          <SecondStep
            challenge={challenge}
            onDone={() => session.switched()}
            onRestart={() => setChallenge(undefined)}
            restart="Stay here"
          />
        )}
      </Dialog>
    </>
  )
}

const AddTenant = ({
  onAdded,
  onClose
}: {
  readonly onAdded: (list: ReadonlyArray<Membership>) => void
  readonly onClose: () => void
}) => {
  const [tenant, setTenant] = useState("")
  const [password, setPassword] = useState("")
  return (
    <Form
      action="Add it"
      run={() => client.memberships.add({ tenant_id: tenant.trim(), password })}
      onDone={onAdded}
      onCancel={onClose}
    >
      {(error) => (
        <>
          <Field
            label="Tenant id"
            hint="It is in your profile there, and an admin there knows it."
            required
            spellCheck={false}
            autoComplete="off"
            value={tenant}
            wrong={wrongOf(error, "tenant_id")}
            onChange={(event) => setTenant(event.target.value)}
          />
          <Field
            label="Password there"
            type="password"
            autoComplete="off"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </>
      )}
    </Form>
  )
}
