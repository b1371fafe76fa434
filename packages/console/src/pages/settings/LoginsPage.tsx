import type { LoginPolicy } from "@llm-saas/client"
import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { withProof } from "../../proof/proof.ts"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { Check } from "../../ui/Field.tsx"
import { Form } from "../../ui/Form.tsx"
import { Loaded } from "../../ui/Loaded.tsx"
import { Radios } from "../../ui/Radios.tsx"
import { toast } from "../../ui/Toasts.tsx"
import { SettingsPage } from "./SettingsPage.tsx"

const KEY = ["login-policy"]

/** What the tenant asks of logins. */
export const LoginsPage = () => {
  const { tenant_id } = useProfile()
  const policy = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => client.tenants.loginPolicy(tenant_id, { signal })
  })
  return (
    <SettingsPage title="Logins">
      <Loaded query={policy} what="tenant">
        {(found) => <PolicyForm key={JSON.stringify(found)} policy={found} tenant={tenant_id} />}
      </Loaded>
    </SettingsPage>
  )
}

const PolicyForm = ({ policy, tenant }: { readonly policy: LoginPolicy; readonly tenant: string }) => {
  const cache = useQueryClient()
  const [draft, setDraft] = useState(policy)
  return (
    <div className="form-narrow">
      <Form
        action="Save"
        idle={JSON.stringify(draft) === JSON.stringify(policy)}
        run={() => withProof((options) => client.tenants.changeLoginPolicy(tenant, draft, options))}
        onDone={(now) => {
          cache.setQueryData(KEY, now)
          toast("Saved. It holds from the next login on.")
        }}
      >
        {() => (
          <>
            <Radios
              label="Who must have a second factor"
              value={draft.second_factor}
              onChange={(second_factor) => setDraft({ ...draft, second_factor })}
              options={[
                { value: "optional", label: "Nobody", hint: "Who has one is asked for it in any case." },
                { value: "admins", label: "Admins" },
                {
                  value: "everybody",
                  label: "Everybody",
                  hint: "Who has none sets one up with the next login. Sessions and API keys that are there go on."
                }
              ]}
            />
            <Check
              label="Ask for it after single sign-on too"
              hint="Otherwise your identity provider answers for a second factor."
              checked={draft.second_factor_after_sso}
              onChange={(event) => setDraft({ ...draft, second_factor_after_sso: event.target.checked })}
            />
            <Check
              label="People may switch here from another tenant"
              hint="Who has accounts in several tenants gets from one to the other without another password, once they have linked them."
              checked={draft.tenant_switch}
              onChange={(event) => setDraft({ ...draft, tenant_switch: event.target.checked })}
            />
          </>
        )}
      </Form>
    </div>
  )
}
