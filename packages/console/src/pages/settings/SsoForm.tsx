import type { SsoConnection } from "@llm-saas/client"
import { useState } from "react"
import { SERVER_URL } from "../../Place.ts"
import { client } from "../../session/session.ts"
import { Check, Field, TextField } from "../../ui/Field.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { Form } from "../../ui/Form.tsx"
import { Radios } from "../../ui/Radios.tsx"
import { toast } from "../../ui/Toasts.tsx"
import { choiceOf, draftOf, endsSessions, losesSecret, type SsoDraft } from "./ssoDraft.ts"
import { Address } from "./SsoState.tsx"

interface Props {
  /** Null: there is none yet. */
  readonly connection: SsoConnection | null
  readonly tenant: string
  readonly onSaved: (now: SsoConnection) => void
}

/** All that a connection is. */
export const SsoForm = ({ connection, onSaved, tenant }: Props) => {
  const [draft, setDraft] = useState(() => draftOf(connection))
  const [sure, setSure] = useState(false)
  const set = (change: Partial<SsoDraft>) => {
    setDraft({ ...draft, ...change })
    setSure(false)
  }
  const isSame = JSON.stringify(draft) === JSON.stringify(draftOf(connection))
  const loses = losesSecret(connection, draft)
  const ends = endsSessions(connection, draft)
  return (
    <div className="form-narrow">
      <Form
        action={connection === null ? "Set it up" : "Save"}
        idle={isSame || loses || (ends && !sure)}
        run={() => client.sso.put(tenant, choiceOf(draft))}
        onDone={(now) => {
          toast("Saved.")
          onSaved(now)
        }}
      >
        {(error) => (
          <>
            <Provider draft={draft} set={set} error={error} isNew={connection === null} />
            <Secret draft={draft} set={set} error={error} stored={connection?.has_secret === true} />
            {loses ? (
              <p className="note warn">
                The stored secret was given for another issuer or client, and goes to nobody else: enter the one of this
                client.
              </p>
            ) : null}
            <People draft={draft} set={set} error={error} />
            <Check
              label="Enabled"
              hint="Otherwise it is as if there were none; what is set here stays."
              checked={draft.enabled}
              onChange={(event) => set({ enabled: event.target.checked })}
            />
            <Check
              label="Required: no other way in for people"
              hint="Passwords, and links in mails, stop working for this tenant. Try a login as an admin before."
              checked={draft.required}
              onChange={(event) => set({ required: event.target.checked })}
            />
            {ends ? (
              <div className="note warn stack tight">
                <p>
                  Everybody is logged out, you too, and comes in by the provider alone. API keys and service accounts go
                  on.
                </p>
                <p>
                  If the provider fails, only the operator of the installation can make passwords count again: keep one
                  admin who has a password for that day.
                </p>
                <Check
                  label="I have logged in by it, and want it to be the only way"
                  checked={sure}
                  onChange={(event) => setSure(event.target.checked)}
                />
              </div>
            ) : null}
          </>
        )}
      </Form>
    </div>
  )
}

interface PartProps {
  readonly draft: SsoDraft
  readonly set: (change: Partial<SsoDraft>) => void
  readonly error: unknown
}

const Provider = ({ draft, error, isNew, set }: PartProps & { readonly isNew: boolean }) => (
  <>
    {isNew ? (
      <div className="note stack tight">
        <p>
          First register a web application at your provider, with this redirect URI, for the authorization code flow
          with PKCE. It gives you a client id and a secret.
        </p>
        <Address label="Redirect URI" text={`${SERVER_URL}/sso/callback`} />
      </div>
    ) : null}
    <Field
      label="Address of the login"
      required
      pattern="[a-z0-9][a-z0-9\-]{1,61}[a-z0-9]"
      title="3 to 63 lower-case letters, digits and hyphens"
      hint={
        <>
          The last part of <code>{`${SERVER_URL}/login/${draft.slug === "" ? "acme" : draft.slug}`}</code>
        </>
      }
      value={draft.slug}
      onChange={(event) => set({ slug: event.target.value })}
      wrong={wrongOf(error, "slug")}
    />
    <Field
      label="Issuer"
      type="url"
      required
      placeholder="https://login.acme.com"
      hint="Exactly as the provider names itself."
      value={draft.issuer}
      onChange={(event) => set({ issuer: event.target.value })}
      wrong={wrongOf(error, "issuer")}
    />
    <Field
      label="Client id"
      required
      autoComplete="off"
      value={draft.client_id}
      onChange={(event) => set({ client_id: event.target.value })}
      wrong={wrongOf(error, "client_id")}
    />
  </>
)

/** Without its type it would be any text. */
const KEEP: SsoDraft["keeping"] = "keep"

const Secret = ({ draft, error, set, stored }: PartProps & { readonly stored: boolean }) => (
  <Radios
    label="The client's secret"
    value={draft.keeping}
    onChange={(keeping) => set({ keeping, secret: "" })}
    options={[
      ...(stored
        ? [{ value: KEEP, label: "Keep the stored one", hint: "It is stored encrypted, and never shown." }]
        : []),
      {
        value: "new",
        label: stored ? "Replace it" : "Enter it",
        more: (
          <Field
            label="Client secret"
            type="password"
            autoComplete="off"
            required
            maxLength={1000}
            hint="It is stored encrypted, and never shown again."
            value={draft.secret}
            onChange={(event) => set({ secret: event.target.value })}
            wrong={wrongOf(error, "client_secret")}
          />
        )
      },
      { value: "none", label: "None", hint: "A public client: PKCE alone protects it." }
    ]}
  />
)

const People = ({ draft, error, set }: PartProps) => (
  <>
    <TextField
      label="Domains of your people's addresses"
      rows={2}
      placeholder="acme.com"
      hint="One a line. A person with a verified address of one gets to the account with that address."
      value={draft.domains}
      onChange={(event) => set({ domains: event.target.value })}
      wrong={wrongOf(error, "domains")}
    />
    <Check
      label="Make accounts at the first login"
      hint="For people with an address of these domains who have no account and no invitation."
      checked={draft.jit}
      onChange={(event) => set({ jit: event.target.checked })}
    />
    <Check
      label="Take addresses as verified"
      hint="Only for a provider that does not say so and whose people cannot choose their address, such as Microsoft Entra ID."
      checked={draft.trust_email}
      onChange={(event) => set({ trust_email: event.target.checked })}
    />
    <Field
      label="Claim that decides the role"
      placeholder="groups"
      hint="Read at every login; a path such as realm_access.roles will do. Empty: admins decide here."
      value={draft.role_claim}
      onChange={(event) => set({ role_claim: event.target.value })}
      wrong={wrongOf(error, "role_claim")}
    />
    {draft.role_claim.trim() === "" ? null : (
      <TextField
        label="Its values that make an admin"
        rows={2}
        placeholder="llm-admins"
        hint="One a line. Everybody else becomes a user; the last admin stays one."
        value={draft.admin_values}
        onChange={(event) => set({ admin_values: event.target.value })}
        wrong={wrongOf(error, "admin_values")}
      />
    )}
  </>
)
