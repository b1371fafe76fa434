import type { About } from "@llm-saas/api/SystemApi"
import { VERSION } from "@llm-saas/api/Version"
import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { Llm } from "@llm-saas/engine/generations/Llm"
import { destinationOf } from "@llm-saas/mlflow/Destination"
import { Effect } from "effect"
import { Settings } from "../config/Settings.ts"

/**
 * What the installation is. The database is asked only until it has a tenant: rows of tenants stay, and so does the answer. Nothing here
 * belongs to a tenant.
 */
export const makeAbout = Effect.gen(function* () {
  const settings = yield* Settings
  const access = yield* PreTenantAccess
  const llm = yield* Llm
  const constant = {
    name: settings.APP_NAME,
    version: VERSION,
    tenant_creation: settings.TENANT_CREATION,
    password_min_length: settings.PASSWORD_MIN_LENGTH,
    require_verified_email: settings.REQUIRE_VERIFIED_EMAIL,
    mlflow_url: mlflowUrl(settings)
  }
  let isSetUp = false
  const look = Effect.map(access.hasTenants, (found) => {
    isSetUp = found
  })
  return Effect.suspend(() => (isSetUp ? Effect.void : look)).pipe(
    Effect.map((): typeof About.Type => ({ ...constant, setup: !isSetUp, mock_model: llm.isMadeUp() }))
  )
})

/** Its address says where the installation's other services are: for developers only. */
const mlflowUrl = ({ APP_ENV, MLFLOW_TRACKING_URI }: Settings["Service"]): string | null => {
  const destination = APP_ENV === "development" ? destinationOf(MLFLOW_TRACKING_URI) : undefined
  return destination?.kind === "http" ? destination.url : null
}
