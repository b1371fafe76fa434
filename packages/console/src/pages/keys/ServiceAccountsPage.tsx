import type { Role, ServiceAccount } from "@llm-saas/client"
import { Link } from "@tanstack/react-router"
import { useState } from "react"
import { client } from "../../session/session.ts"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { Field } from "../../ui/Field.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { Form } from "../../ui/Form.tsx"
import { moment } from "../../ui/format.ts"
import { Page } from "../../ui/Page.tsx"
import { Paged, usePages } from "../../ui/Paged.tsx"
import { Table } from "../../ui/Table.tsx"
import { changeOf, UNLIMITED } from "../limits/allowance.ts"
import { AllowanceFields } from "../limits/AllowanceFields.tsx"
import { AllowanceText } from "../limits/AllowanceText.tsx"
import { RoleChoice } from "../users/RoleChoice.tsx"
import { ROLES } from "../users/users.ts"
import { ACCOUNTS, useKeysAgain } from "./accounts.ts"
import { KeyTabs } from "./KeyTabs.tsx"

/** Owners of keys who are no people. */
export const ServiceAccountsPage = () => {
  const accounts = usePages<ServiceAccount>([...ACCOUNTS, "list"], ({ signal, ...place }) =>
    client.serviceAccounts.list(place, { signal })
  )
  return (
    <Page
      title="Service accounts"
      about="Programs of the tenant. They have keys and no login, and stay when the people who set them up leave."
      actions={<Add label="Add a service account" />}
    >
      <div>
        <KeyTabs />
        <Paged
          pages={accounts}
          empty={
            <Empty title="No service accounts">
              <p className="soft">
                A program that must outlive the person who set it up gets one, and a key of its own.
              </p>
              <Add label="Add the first one" />
            </Empty>
          }
        >
          {(rows) => (
            <Table
              label="Service accounts"
              rows={rows}
              rowKey={(account) => account.id}
              columns={[
                {
                  title: "Name",
                  cell: (account) => (
                    <Link to="/admin/service-accounts/$account" params={{ account: account.id }}>
                      {account.name}
                    </Link>
                  )
                },
                { title: "Role", cell: (account) => ROLES[account.role].label },
                { title: "Limits and budget", cell: (account) => <AllowanceText value={account} /> },
                { title: "Since", cell: (account) => moment(account.created_at) }
              ]}
            />
          )}
        </Paged>
      </div>
    </Page>
  )
}

const Add = ({ label }: { readonly label: string }) => (
  <DialogButton label={label} title="Add a service account" look="primary">
    {(close) => <NewAccountForm onClose={close} />}
  </DialogButton>
)

const NewAccountForm = ({ onClose }: { readonly onClose: () => void }) => {
  const again = useKeysAgain()
  const [name, setName] = useState("")
  const [role, setRole] = useState<Role>("user")
  const [allowance, setAllowance] = useState(UNLIMITED)
  return (
    <Form
      action="Add it"
      run={() =>
        client.serviceAccounts.create({ name: name.trim(), role, ...changeOf(UNLIMITED, allowance) }).then(again)
      }
      onDone={onClose}
      onCancel={onClose}
    >
      {(error) => (
        <>
          <Field
            label="Name"
            required
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.target.value)}
            wrong={wrongOf(error, "name")}
          />
          <RoleChoice role={role} onChange={setRole} wrong={wrongOf(error, "role")} />
          <AllowanceFields draft={allowance} onChange={setAllowance} error={error} />
        </>
      )}
    </Form>
  )
}
