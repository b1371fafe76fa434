import type { Factor } from "@llm-saas/client"
import { useQuery, useQueryClient } from "@tanstack/react-query"
import { hasPasskeys } from "../../proof/passkeys.ts"
import { withProof } from "../../proof/proof.ts"
import { client } from "../../session/session.ts"
import { Confirm } from "../../ui/Confirm.tsx"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { ago, day } from "../../ui/format.ts"
import { Loading } from "../../ui/Loading.tsx"
import { Table } from "../../ui/Table.tsx"
import { AddPasskey } from "./AddPasskey.tsx"
import { AddTotp } from "./AddTotp.tsx"
import { NewRecoveryCodes } from "./NewRecoveryCodes.tsx"

const KEY = ["factors"]
const MOST_PASSKEYS = 10

/** Second factors and recovery codes. */
export const FactorsPart = () => {
  const factors = useQuery({ queryKey: KEY, queryFn: ({ signal }) => client.factors.list({ signal }) })
  const cache = useQueryClient()
  const again = () => void cache.invalidateQueries({ queryKey: KEY })
  const { data = [], recovery_codes_left = 0, required = false } = factors.data ?? {}
  const isFull = data.filter(({ kind }) => kind === "passkey").length >= MOST_PASSKEYS
  return (
    <section className="part" aria-labelledby="factors">
      <div className="part-head">
        <div className="stack tight">
          <h2 id="factors">Second factors</h2>
          <p className="soft">
            Asked for after the password, so that who knows that alone does not get in.
            {required ? " Your tenant asks you to have one: the last one stays." : ""}
          </p>
        </div>
        <div className="row">
          <DialogButton
            label={data.some(isTotp) ? "Replace the codes" : "Add an authenticator"}
            title="Authenticator app"
          >
            {(close) => <AddTotp onAdded={again} onClose={close} />}
          </DialogButton>
          {hasPasskeys() && !isFull ? (
            <DialogButton label="Add a passkey" title="Add a passkey">
              {(close) => <AddPasskey onAdded={again} onClose={close} />}
            </DialogButton>
          ) : null}
        </div>
      </div>
      {factors.isPending ? (
        <Loading />
      ) : factors.data === undefined ? (
        <Failure error={factors.error} retry={() => void factors.refetch()} />
      ) : data.length === 0 ? (
        <Empty title="No second factor yet">
          <p>Add an authenticator app, or a passkey of this device or of a password manager.</p>
        </Empty>
      ) : (
        <>
          <Table
            label="Second factors"
            rows={data}
            rowKey={({ id }) => id}
            columns={[
              { title: "Name", cell: ({ name }) => name },
              { title: "Kind", cell: kindOf },
              { title: "Added", cell: ({ created_at }) => day(created_at.slice(0, 10)) },
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
                title: "Remove",
                cell: ({ id, name }) =>
                  required && data.length === 1 ? (
                    <span className="soft">The last one stays</span>
                  ) : (
                    <Confirm
                      label="Remove"
                      look="plain"
                      title={`Remove ${name}?`}
                      action="Remove it"
                      run={() => withProof((proof) => client.factors.remove(id, proof)).then(again)}
                    >
                      Logins do not accept it any more.
                      {data.length === 1 ? " It is your last one: your recovery codes go with it." : ""}
                    </Confirm>
                  )
              }
            ]}
          />
          <div className="row between">
            <span className={recovery_codes_left < 3 ? "badge warn" : "badge"}>
              {recovery_codes_left} recovery {recovery_codes_left === 1 ? "code" : "codes"} left
            </span>
            <DialogButton label="New recovery codes" title="New recovery codes">
              {(close) => <NewRecoveryCodes onMade={again} onClose={close} />}
            </DialogButton>
          </div>
        </>
      )}
    </section>
  )
}

const isTotp = ({ kind }: Factor): boolean => kind === "totp"

const kindOf = ({ backed_up, kind }: Factor): string =>
  kind === "totp"
    ? "Authenticator app"
    : backed_up === true
      ? "Passkey, kept at several places"
      : "Passkey of one device"
