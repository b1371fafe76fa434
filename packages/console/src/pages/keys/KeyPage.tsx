import type { ApiKey } from "@llm-saas/client"
import { useQuery } from "@tanstack/react-query"
import { Link, useNavigate, useParams } from "@tanstack/react-router"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { Facts } from "../../ui/Facts.tsx"
import { ago, moment } from "../../ui/format.ts"
import { Loaded } from "../../ui/Loaded.tsx"
import { Page } from "../../ui/Page.tsx"
import { Section } from "../../ui/Section.tsx"
import { AllowanceText } from "../limits/AllowanceText.tsx"
import { LeftOf } from "../limits/LeftOf.tsx"
import { KEYS, useKeysAgain } from "./accounts.ts"
import { ChangeKey, RevokeKey, StopKey } from "./KeyActions.tsx"
import { KeyStatus } from "./KeyTable.tsx"
import { Owner } from "./Owner.tsx"
import { RotateKey } from "./RotateKey.tsx"

/** One API key of the tenant. */
export const KeyPage = () => {
  const { key } = useParams({ from: "/users/admins/admin/keys/$key" })
  return <OneKey id={key} list="/admin/keys" />
}

/** One API key of one's own. */
export const OwnKeyPage = () => {
  const { key } = useParams({ from: "/users/account/keys/$key" })
  return <OneKey id={key} list="/account/keys" />
}

/** Where the list is that the key is in. */
type List = "/admin/keys" | "/account/keys"

const OneKey = ({ id, list }: { readonly id: string; readonly list: List }) => {
  const key = useQuery({ queryKey: [...KEYS, "one", id], queryFn: ({ signal }) => client.keys.get(id, { signal }) })
  const all = <Link to={list}>← {list === "/admin/keys" ? "All API keys" : "My API keys"}</Link>
  return (
    <Page
      title={key.data?.name ?? "API key"}
      about={all}
      actions={key.data === undefined ? undefined : <Actions value={key.data} list={list} />}
    >
      <Loaded query={key} what="API key" back={all}>
        {(found) => (
          <>
            <Details value={found} />
            <Section
              title="What is left"
              about="Of the limits and the budget of this key. Its owner's hold beside them."
            >
              <LeftOf whom={{ key: found.id }} refresh />
            </Section>
          </>
        )}
      </Loaded>
    </Page>
  )
}

const Actions = ({ list, value }: { readonly value: ApiKey; readonly list: List }) => {
  const me = useProfile()
  const again = useKeysAgain()
  const navigate = useNavigate()
  // No user makes a secret of another person's key: they could act as that person.
  const mayRotate = value.owner.kind === "service_account" || value.owner.id === me.id
  return (
    <>
      <ChangeKey value={value} admin={me.role === "admin"} again={again} />
      {mayRotate ? <RotateKey value={value} again={again} /> : null}
      <StopKey value={value} again={again} />
      <RevokeKey
        value={value}
        again={async () => {
          await navigate({ to: list })
          await again()
        }}
      />
    </>
  )
}

const Details = ({ value }: { readonly value: ApiKey }) => {
  const notes = Object.entries(value.metadata)
  return (
    <Facts
      of={[
        ["Status", <KeyStatus key="status" status={value.status} />],
        ["Begins with", <code key="begins">{value.begins_with}…</code>],
        ["Owner", <Owner key="owner" owner={value.owner} />],
        ["May", value.scopes.join(", ")],
        ["Models", value.models?.join(", ") ?? "All"],
        ["Limits and budget of its own", <AllowanceText key="limits" value={value} />],
        ["Last used", value.last_used_at === null ? "Never" : ago(value.last_used_at)],
        ["Expires", value.expires_at === null ? "Never" : moment(value.expires_at)],
        ["Made", moment(value.created_at)],
        ...(value.rotated_at === null ? [] : [["New secret since", moment(value.rotated_at)] as const]),
        ...(value.previous_until === null
          ? []
          : [["The secret before works until", moment(value.previous_until)] as const]),
        ...notes.map(([name, text]) => [name, text] as const),
        ["Id", <code key="id">{value.id}</code>]
      ]}
    />
  )
}
