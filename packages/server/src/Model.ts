import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Llm } from "@llm-saas/engine/generations/Llm"
import type { Configuration } from "@llm-saas/llm/routes/Configuration"
import { toLlm } from "@llm-saas/llm/routes/RoutedLlm"
import { make } from "@llm-saas/llm/routes/Router"
import { ConfigProvider, Effect, Layer } from "effect"
import * as DotEnv from "./config/DotEnv.ts"
import { Settings } from "./config/Settings.ts"
import { StartupFailed } from "./process/Startup.ts"
import { builder } from "./providers/Build.ts"
import { defaultsOf } from "./providers/Defaults.ts"
import { oneProvider } from "./providers/OneProvider.ts"
import { read, watch } from "./providers/WatchedFile.ts"

/** The models that answer: those of PROVIDERS_FILE, or the one of the other settings. */
export const ModelLayer = Layer.effect(
  Llm,
  Effect.gen(function* () {
    const settings = yield* Settings
    const build = builder(settings)
    const path = settings.PROVIDERS_FILE
    if (path === undefined) {
      const configuration = oneProvider(settings)
      yield* warnOfMocks(settings, configuration)
      return toLlm(yield* make(configuration, build))
    }
    const watched = { path, defaults: defaultsOf(settings), variables }
    const { configuration, found } = yield* read(watched)
    yield* warnOfMocks(settings, configuration)
    const router = yield* make(configuration, build)
    yield* watch(watched, found, router.use)
    return toLlm(router)
  })
).pipe(
  Layer.provide(NodeFileSystem.layer),
  Layer.catchTag("ProvidersFileInvalid", ({ message }) =>
    Layer.effectContext(Effect.fail(new StartupFailed({ message })))
  )
)

/** The environment and `.env`, read again for each reading of the file. A `.env` that was broken meanwhile has no variables. */
const variables = DotEnv.provider({ path: ".env", environment: process.env, names: [] }).pipe(
  Effect.orElseSucceed(() => ConfigProvider.fromEnvRecord(process.env)),
  Effect.provide(NodeFileSystem.layer)
)

const warnOfMocks = ({ APP_ENV, PROVIDERS_FILE }: Settings["Service"], { providers }: Configuration) =>
  APP_ENV === "production" && providers.some(({ type }) => type === "mock")
    ? Effect.logWarning(PROVIDERS_FILE === undefined ? NOT_A_MODEL : NOT_MODELS)
    : Effect.void

const NOT_A_MODEL =
  "THE ANSWERS ARE MADE UP: the mock model is in production. Set OPENAI_API_KEY or OPENAI_BASE_URL, or LLM_PROVIDER=openai, for a real one"

const NOT_MODELS = "ANSWERS ARE MADE UP: PROVIDERS_FILE has a provider of type mock, and this is production"
