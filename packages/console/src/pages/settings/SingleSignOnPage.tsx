import { LlmSaasError, type SsoConnection } from "@llm-saas/client"
import { useQuery, useQueryClient } from "@tanstack/react-query"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { Confirm } from "../../ui/Confirm.tsx"
import { Loaded } from "../../ui/Loaded.tsx"
import { Section } from "../../ui/Section.tsx"
import { toast } from "../../ui/Toasts.tsx"
import { SettingsPage } from "./SettingsPage.tsx"
import { SsoDomains } from "./SsoDomains.tsx"
import { SsoForm } from "./SsoForm.tsx"
import { SsoState } from "./SsoState.tsx"

const KEY = ["sso"]

/** Logins by the tenant's own identity provider. */
export const SingleSignOnPage = () => {
  const { tenant_id } = useProfile()
  const cache = useQueryClient()
  const connection = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => find(tenant_id, signal),
    // What is typed is not overwritten by what came while it was typed.
    refetchOnWindowFocus: false
  })
  const changed = (now: SsoConnection | null) => void cache.setQueryData(KEY, now)
  return (
    <SettingsPage title="Single sign-on">
      <Loaded query={connection} what="tenant">
        {(found) => (
          <div className="stack">
            <p className="soft">
              People log in at your company&apos;s own provider: anything that speaks OpenID Connect, such as Okta,
              Microsoft Entra ID, Google, Keycloak or Auth0.
            </p>
            {found === null ? null : <SsoState connection={found} />}
            <SsoForm key={found?.updated_at ?? "new"} connection={found} tenant={tenant_id} onSaved={changed} />
            {found === null || found.domains.length === 0 ? null : (
              <SsoDomains connection={found} tenant={tenant_id} onProven={changed} />
            )}
            {found === null ? null : (
              <Section title="Remove" about="Accounts stay, without their links to people at the provider.">
                <div>
                  <Confirm
                    label="Remove single sign-on"
                    title="Remove single sign-on?"
                    action="Remove it"
                    run={async () => {
                      await client.sso.remove(tenant_id)
                      changed(null)
                      toast("Single sign-on was removed.")
                    }}
                  >
                    People log in with their passwords from then on; who has none asks for a mail to choose one.
                    Sessions go on until they end. Proofs of domains are lost.
                  </Confirm>
                </div>
              </Section>
            )}
          </div>
        )}
      </Loaded>
    </SettingsPage>
  )
}

/** The connection; null: there is none. */
const find = async (tenant: string, signal: AbortSignal): Promise<SsoConnection | null> => {
  try {
    return await client.sso.get(tenant, { signal })
  } catch (error) {
    if (error instanceof LlmSaasError && error.code === "sso_not_found") return null
    throw error
  }
}
