import { Console, Effect } from "effect"
import { HttpServer } from "effect/http"
import cluster from "node:cluster"
import { SecretKey } from "../auth/SecretKey.ts"
import { Settings } from "../config/Settings.ts"

/** Prints the server's address and what to try. In production it is one log line. */
export const announce = Effect.fnUntraced(function* (port: number) {
  const { APP_ENV, APP_NAME, DATABASE_URL, DATA_DIR, HOST, MLFLOW_TRACKING_URI, WORKERS, ...settings } = yield* Settings
  const { TENANT_CREATION } = settings
  const { madeAt } = yield* SecretKey
  const url = urlOf(HOST, port)
  if (APP_ENV === "production")
    return yield* Effect.logInfo(`${APP_NAME} serves on ${url}; ${CREATION[TENANT_CREATION]}`)
  yield* Console.log(
    [
      "",
      `  ${APP_NAME} is running on ${url}`,
      `  console            ${url}/console/`,
      `  documentation      ${url}/docs`,
      `  database           ${DATABASE_URL === undefined ? `embedded PostgreSQL, data in ${DATA_DIR}` : "yours (DATABASE_URL)"}`,
      `  model              ${modelOf(settings)}`,
      `  tracking           ${MLFLOW_TRACKING_URI === "off" ? "off" : `MLflow, ${MLFLOW_TRACKING_URI}`}`,
      `  tenants            ${CREATION[TENANT_CREATION]}`,
      ...(WORKERS === 1 ? [] : [`  workers            ${WORKERS} processes`]),
      ...(madeAt === undefined
        ? []
        : [`  secret key         made just now and kept in ${madeAt} (SECRET_KEY replaces it)`]),
      "",
      "  Try:",
      `  curl -X POST ${url}/create-tenant -H "Content-Type: application/json" -d '{"name": "Acme Corp"}'`,
      "  then follow the quick start in README.md. Ctrl-C stops everything.",
      ""
    ].join("\n")
  )
})

const modelOf = ({
  LLM_MODEL,
  LLM_PROVIDER,
  OPENAI_BASE_URL,
  PROVIDERS_FILE
}: Pick<Settings["Service"], "LLM_MODEL" | "LLM_PROVIDER" | "OPENAI_BASE_URL" | "PROVIDERS_FILE">): string => {
  if (PROVIDERS_FILE !== undefined) return `those of ${PROVIDERS_FILE}`
  if (LLM_PROVIDER === "mock") return "none: answers are made up (OPENAI_API_KEY or OPENAI_BASE_URL gives one)"
  return `${LLM_MODEL} at ${new URL(OPENAI_BASE_URL ?? "https://api.openai.com").host}`
}

const CREATION = {
  open: "every client may create tenants (TENANT_CREATION=open)",
  token: "tenants are created with TENANT_CREATION_TOKEN (TENANT_CREATION=token)",
  closed: "tenants cannot be created from outside (TENANT_CREATION=closed)"
}

/** A URL for this machine. An IPv6 address is put in brackets, its zone encoded (RFC 3986 §3.2.2, RFC 6874). */
export const urlOf = (host: string, port: number): string =>
  ["127.0.0.1", "0.0.0.0", "::"].includes(host)
    ? `http://localhost:${port}`
    : `http://${host.includes(":") ? `[${host.replace("%", "%25")}]` : host}:${port}`

/** As above, for the listening server. A worker prints nothing: the parent process does. */
export const announceServer = Effect.gen(function* () {
  const { address } = yield* HttpServer.HttpServer
  if (!cluster.isWorker && address._tag !== "UnixPathAddress") yield* announce(address.port)
})
