import * as EmbeddedPostgres from "@llm-saas/database/EmbeddedPostgres"
import { migrate, prepareApiRole } from "@llm-saas/database/Migrations"
import { Pool } from "@llm-saas/database/Pool"
import { inspect, type Server } from "@llm-saas/database/RoleSafety"
import { createHmac } from "node:crypto"
import { Effect, Layer, Redacted } from "effect"
import { Settings } from "./Settings.ts"
import { StartupFailed } from "./Startup.ts"

/** The login the server serves requests with. It owns nothing and reads no table outside of a room. */
const API_ROLE = "llm_api"

/**
 * The password of {@link API_ROLE} where the program itself administers the database (development): derived from the secret key, so
 * that it needs no place of its own and two processes with the same key agree on it.
 */
export const apiPassword = (secret: Redacted.Redacted): Redacted.Redacted =>
  Redacted.make(createHmac("sha256", Redacted.value(secret)).update(`llm-saas database role ${API_ROLE}`).digest("base64url"))

/** The same server and database, as the API's login. */
export const asApi = (admin: Redacted.Redacted, password: Redacted.Redacted): Redacted.Redacted => {
  const url = new URL(Redacted.value(admin))
  url.username = API_ROLE
  url.password = Redacted.value(password)
  return Redacted.make(url.href)
}
void [EmbeddedPostgres, migrate, prepareApiRole, Pool, inspect, Effect, Layer, Settings, StartupFailed] satisfies Array<unknown>
export type { Server }
