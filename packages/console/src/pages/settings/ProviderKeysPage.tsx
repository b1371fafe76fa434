import type { ProviderKey } from "@llm-saas/client"
import { useQueryClient } from "@tanstack/react-query"
import { client } from "../../session/session.ts"
import { Confirm } from "../../ui/Confirm.tsx"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { moment } from "../../ui/format.ts"
import { Paged, usePages } from "../../ui/Paged.tsx"
import { Table } from "../../ui/Table.tsx"
import { ChangeProviderKeyForm, NewProviderKeyForm } from "./ProviderKeyForm.tsx"
import { SettingsPage } from "./SettingsPage.tsx"

const KEY = ["provider-keys"]

const STATUSES: Readonly<Record<ProviderKey["status"], { readonly look: string; readonly means?: string }>> = {
  active: { look: "badge good" },
  disabled: { look: "badge warn", means: "Not used" },
  unreadable: {
    look: "badge bad",
    means:
      "The installation has lost what it was encrypted with. Questions that need it fail: delete it, and add it again."
  }
}

/** The tenant's own keys at models' providers. */
export const ProviderKeysPage = () => {
  const cache = useQueryClient()
  const again = () => cache.invalidateQueries({ queryKey: KEY })
  const keys = usePages<ProviderKey>(KEY, ({ signal, ...place }) => client.providerKeys.list(place, { signal }))
  const add = (label: string) => (
    <DialogButton label={label} title="Add a key at a provider" look="primary">
      {(close) => (
        <NewProviderKeyForm
          onCancel={close}
          onDone={() => {
            close()
            void again()
          }}
        />
      )}
    </DialogButton>
  )
  return (
    <SettingsPage title="Provider keys" actions={add("Add a key")}>
      <div className="stack">
        <p className="soft">
          With a key of your own account at a provider, your questions to it are paid by that account. Of several, the
          newest one that names the model is used, else the newest one for all models.
        </p>
        <Paged
          pages={keys}
          empty={
            <Empty title="No keys of your own">
              <p className="soft">Questions are asked with the installation's keys, where it has some.</p>
              {add("Add the first one")}
            </Empty>
          }
        >
          {(rows) => (
            <Table
              label="Provider keys"
              rows={rows}
              rowKey={(key) => key.id}
              columns={[
                { title: "Name", cell: ({ name }) => name },
                { title: "Provider", cell: ({ provider }) => <code>{provider}</code> },
                { title: "Models", cell: ({ models }) => models?.join(", ") ?? <span className="soft">All</span> },
                {
                  title: "Status",
                  cell: ({ status }) => (
                    <div className="stack tight">
                      <span>
                        <span className={STATUSES[status].look}>{status}</span>
                      </span>
                      <span className="soft small">{STATUSES[status].means}</span>
                    </div>
                  )
                },
                { title: "Added", cell: ({ created_at }) => moment(created_at) },
                { title: "Actions", cell: (key) => <Actions value={key} again={again} /> }
              ]}
            />
          )}
        </Paged>
      </div>
    </SettingsPage>
  )
}

const Actions = ({ again, value }: { readonly value: ProviderKey; readonly again: () => Promise<void> }) => {
  const { id, name, status } = value
  return (
    <div className="row">
      <DialogButton label="Change" title={`Change ${name}`} look="plain">
        {(close) => (
          <ChangeProviderKeyForm
            value={value}
            onCancel={close}
            onDone={() => {
              close()
              void again()
            }}
          />
        )}
      </DialogButton>
      {status === "unreadable" ? null : status === "disabled" ? (
        <Confirm
          label="Enable"
          look="plain"
          danger={false}
          title={`Enable ${name}?`}
          action="Enable it"
          keep="Leave it"
          run={() => client.providerKeys.change(id, { disabled: false }).then(again)}
        >
          Questions are asked with it again within five seconds.
        </Confirm>
      ) : (
        <Confirm
          label="Disable"
          look="plain"
          title={`Disable ${name}?`}
          action="Disable it"
          run={() => client.providerKeys.change(id, { disabled: true }).then(again)}
        >
          Within five seconds no question is asked with it. Others of yours are used then, or the installation's key.
        </Confirm>
      )}
      <Confirm
        label="Delete"
        look="plain"
        title={`Delete ${name}?`}
        action="Delete it"
        run={() => client.providerKeys.remove(id).then(again)}
      >
        It is removed here, and used for five seconds more at most. At the provider it stays as it is: revoke it there
        too.
      </Confirm>
    </div>
  )
}
