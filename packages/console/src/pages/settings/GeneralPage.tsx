import { Link } from "@tanstack/react-router"
import { useState } from "react"
import { CONSOLE_PATH } from "../../Place.ts"
import { client, session } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { Copy } from "../../ui/Copy.tsx"
import { Field } from "../../ui/Field.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { Form } from "../../ui/Form.tsx"
import { Radios } from "../../ui/Radios.tsx"
import { toast } from "../../ui/Toasts.tsx"
import { SettingsPage } from "./SettingsPage.tsx"

/** The tenant's name, and whether people may make an account themselves. */
export const GeneralPage = () => {
  const { tenant } = useProfile()
  const [name, setName] = useState(tenant.name)
  const [registration, setRegistration] = useState(tenant.registration)
  const address = new URL(`${CONSOLE_PATH}register?tenant=${tenant.id}`, location.origin).href
  return (
    <SettingsPage title="General">
      <div className="stack form-narrow">
        <Form
          action="Rename"
          idle={name.trim() === tenant.name}
          run={async () => {
            await client.tenants.change(tenant.id, { name: name.trim() })
            await session.refresh()
          }}
          onDone={() => toast("The tenant has its new name.")}
        >
          {(error) => (
            <Field
              label="Name of the tenant"
              required
              maxLength={200}
              hint="It is shown to its people, and in invitations."
              value={name}
              onChange={(event) => setName(event.target.value)}
              wrong={wrongOf(error, "name")}
            />
          )}
        </Form>
        <Form
          action="Save"
          idle={registration === tenant.registration}
          run={async () => {
            await client.tenants.change(tenant.id, { registration })
            await session.refresh()
          }}
          onDone={() => toast(registration === "open" ? "Registration is open." : "Registration is closed.")}
        >
          {() => (
            <Radios
              label="Who may make an account in this tenant"
              value={registration}
              onChange={setRegistration}
              options={[
                {
                  value: "closed",
                  label: "Closed",
                  hint: (
                    <>
                      Admins add people or <Link to="/admin/invitations">invite</Link> them, and single sign-on lets in
                      those of your company.
                    </>
                  )
                },
                {
                  value: "open",
                  label: "Open",
                  hint: "Whoever knows this tenant's id can make an account, with the role User."
                }
              ]}
            />
          )}
        </Form>
        {tenant.registration === "open" ? (
          <div className="note stack tight">
            <strong>People register here</strong>
            <div className="row between">
              <code className="breakable">{address}</code>
              <Copy text={address} />
            </div>
          </div>
        ) : null}
      </div>
    </SettingsPage>
  )
}
