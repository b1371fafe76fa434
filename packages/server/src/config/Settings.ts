import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Array, Context, Effect, Layer, Result } from "effect"
import { availableParallelism } from "node:os"
import { withoutForeign } from "./ForeignVariables.ts"
import { type BrokenVariable, SettingsInvalid } from "./SettingsInvalid.ts"
import { offences } from "./VariableRules.ts"
import { type Values, VARIABLES } from "./Variables.ts"

/** Where `mlflow ui --port 5001` listens. */
const LOCAL_MLFLOW = "http://127.0.0.1:5001"

/** The configuration, decoded once: each variable under its own name, with defaults filled in. */
export class Settings extends Context.Service<
  Settings,
  Omit<
    Values,
    | "LLM_PROVIDER"
    | "LOG_LEVEL"
    | "MLFLOW_LOG_CONTENT"
    | "MLFLOW_TRACKING_URI"
    | "PASSWORD_THREADS"
    | "PUBLIC_URL"
    | "READERS_PER_USER"
    | "SSO_PRIVATE_NETWORKS"
    | "TENANT_CREATION"
  > & {
    /** Default: `openai` if there is a key or a base URL, else `mock`. */
    readonly LLM_PROVIDER: "mock" | "openai"
    /** Default: `debug` if DEBUG is on, else `info`. */
    readonly LOG_LEVEL: "debug" | "info" | "warning" | "error"
    /** Default: `redacted` in production, else `full`. */
    readonly MLFLOW_LOG_CONTENT: "full" | "redacted" | "off"
    /** Default: a server on this machine in development, `off` in production. */
    readonly MLFLOW_TRACKING_URI: string
    /** Default: one less than there are cores, shared by all workers, and at least one each. */
    readonly PASSWORD_THREADS: number
    /** Default: this machine, at PORT. */
    readonly PUBLIC_URL: string
    /** Default: not in production. */
    readonly SSO_PRIVATE_NETWORKS: boolean
    /** Default: `token` if there is one, else `closed` in production and `open` elsewhere. */
    readonly TENANT_CREATION: "open" | "token" | "closed"
    /** Default: five for each of GENERATIONS_PER_USER. */
    readonly READERS_PER_USER: number
  }
>()("@llm-saas/server/config/Settings") {
  /** Reads the environment and `.env`. */
  static readonly layer = Layer.effect(
    Settings,
    fromProcess(() => settings)
  ).pipe(Layer.provide(NodeFileSystem.layer))
  /** As above, for commands: production's requirements are for servers; an operator who migrates need not have the server's secrets. */
  static readonly layerCommands = Layer.effect(
    Settings,
    fromProcess(() => read(() => []))
  ).pipe(Layer.provide(NodeFileSystem.layer))
}

function fromProcess(read: () => Effect.Effect<Settings["Service"], SettingsInvalid>) {
  return Effect.suspend(() =>
    withoutForeign(read(), {
      path: ".env",
      environment: process.env,
      names: Object.keys(VARIABLES),
      isDevelopment: Effect.map(VARIABLES.APP_ENV, (environment) => environment === "development")
    })
  )
}

const read = Effect.fnUntraced(function* (rules: (values: Values) => Array<BrokenVariable>) {
  const results = yield* Effect.all(VARIABLES, { mode: "result" })
  const values = Result.all(results)
  const broken = Result.isSuccess(values) ? rules(values.success) : Array.getFailures(Object.values(results))
  if (Array.isArrayNonEmpty(broken)) return yield* new SettingsInvalid({ broken })
  const found = yield* Effect.orDie(Effect.fromResult(values))
  return Settings.of({
    ...found,
    LLM_PROVIDER: providerOf(found),
    LOG_LEVEL: found.LOG_LEVEL ?? (found.DEBUG ? "debug" : "info"),
    MLFLOW_LOG_CONTENT: found.MLFLOW_LOG_CONTENT ?? (found.APP_ENV === "production" ? "redacted" : "full"),
    MLFLOW_TRACKING_URI: found.MLFLOW_TRACKING_URI ?? (found.APP_ENV === "production" ? "off" : LOCAL_MLFLOW),
    PUBLIC_URL: found.PUBLIC_URL ?? `http://localhost:${found.PORT}`,
    SSO_PRIVATE_NETWORKS: found.SSO_PRIVATE_NETWORKS ?? found.APP_ENV !== "production",
    TENANT_CREATION: found.TENANT_CREATION ?? creationOf(found),
    PASSWORD_THREADS: found.PASSWORD_THREADS ?? Math.max(1, Math.floor((availableParallelism() - 1) / found.WORKERS)),
    READERS_PER_USER: found.READERS_PER_USER ?? found.GENERATIONS_PER_USER * 5
  })
})

/** The settings from the current `ConfigProvider`. The failure names every broken variable, not only the first. */
export const settings: Effect.Effect<Settings["Service"], SettingsInvalid> = Effect.suspend(() => read(offences))

const providerOf = ({ LLM_PROVIDER, OPENAI_API_KEY, OPENAI_BASE_URL }: Values) =>
  LLM_PROVIDER ?? (OPENAI_API_KEY === undefined && OPENAI_BASE_URL === undefined ? "mock" : "openai")

const creationOf = ({ APP_ENV, TENANT_CREATION_TOKEN }: Values) =>
  TENANT_CREATION_TOKEN === undefined ? (APP_ENV === "production" ? "closed" : "open") : "token"
