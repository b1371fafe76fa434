import { FailureReason } from "@llm-saas/domain/Generation"
import {
  type Configuration,
  FALLBACK_ON,
  type FallbackOn,
  type ProviderSettings,
  type Route,
  type RouteTarget
} from "@llm-saas/llm/routes/Configuration"
import { Schema } from "effect"
import type { CheckedFile } from "./CheckedFile.ts"
import type { Defaults } from "./Defaults.ts"
import type { ModelEntry, ProviderEntry, TargetEntry } from "./ProvidersDocument.ts"
import { placeOf, priceListOf } from "./PriceEntry.ts"
import type { Secrets } from "./Secrets.ts"

/** The configuration that a file without errors is. */
export const configurationOf = (
  { defaultModel, models, providers }: CheckedFile,
  secrets: ReadonlyMap<string, Secrets>,
  defaults: Defaults
): Configuration => {
  const routes = [...models].map(([alias, entry]) => routeOf(alias, entry, providers, defaults))
  return {
    providers: [...providers].map(([name, entry]) => settingsOf(name, entry, secrets.get(name), defaults)),
    models: routes,
    defaultModel: defaultModel ?? (routes.find(({ kind }) => kind === "chat") ?? routes[0])?.alias ?? ""
  }
}

const settingsOf = (
  name: string,
  { api_version, base_url, key, responses, type }: ProviderEntry,
  secrets: Secrets | undefined,
  { proxies }: Defaults
): ProviderSettings => ({
  name,
  type,
  baseUrl: base_url,
  apiVersion: api_version,
  // OpenAI itself has it.
  responses: type === "openai" && (responses ?? base_url === undefined),
  headers: secrets?.headers ?? {},
  proxies,
  key: secrets?.key,
  origin: "file",
  keyPolicy: key ?? (type === "mock" ? "installation" : "prefer_tenant")
})

const routeOf = (
  alias: string,
  entry: ModelEntry,
  providers: ReadonlyMap<string, ProviderEntry>,
  defaults: Defaults
): Route => ({
  alias,
  kind: entry.kind ?? "chat",
  strategy: entry.strategy ?? "single",
  targets: entry.targets.map((target) => targetOf(alias, target, entry, providers.get(target.provider), defaults)),
  fallbackOn: entry.fallback_on === undefined ? FALLBACK_ON : fallbackOn(entry.fallback_on),
  answerMs: millis(entry.answer_seconds) ?? defaults.answerMs,
  contextWindow: entry.context_window,
  maxOutputTokens: entry.max_output_tokens,
  createdAt: entry.created === undefined ? undefined : Date.parse(entry.created) / 1000
})

/** Each value from the target, else its model, else its provider, else the settings. */
const targetOf = (
  alias: string,
  target: TargetEntry,
  model: ModelEntry,
  provider: ProviderEntry | undefined,
  defaults: Defaults
): RouteTarget => {
  const time = (member: "connect_seconds" | "first_token_seconds" | "silence_seconds") =>
    millis(target[member] ?? model[member] ?? provider?.[member])
  return {
    provider: target.provider,
    weight: target.weight ?? 1,
    retries: target.retries ?? model.retries ?? provider?.retries ?? defaults.retries,
    ...costOf(target.price === undefined && target.prices === undefined ? model : target),
    target: {
      model: target.model ?? alias,
      maxOutputTokens: target.max_output_tokens ?? model.max_output_tokens,
      temperature: target.temperature ?? defaults.temperature,
      connectMs: time("connect_seconds") ?? defaults.connectMs,
      firstTokenMs: time("first_token_seconds") ?? defaults.firstTokenMs,
      silenceMs: time("silence_seconds") ?? defaults.silenceMs
    }
  }
}

const costOf = ({ price, prices }: Pick<TargetEntry, "price" | "prices">): Pick<RouteTarget, "price" | "listed"> => ({
  ...(price === undefined ? {} : { price: priceListOf(price) }),
  ...(prices === undefined ? {} : { listed: placeOf(prices) })
})

const millis = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : Math.max(1, Math.round(seconds * 1000))

const fallbackOn = (given: ReadonlyArray<string | number>): FallbackOn => {
  const statuses = given.flatMap((each) => {
    if (each === "4xx" || each === "5xx") return hundred(each === "4xx" ? 400 : 500)
    return typeof each === "number" ? [each] : []
  })
  return { statuses: new Set(statuses), reasons: new Set(given.filter(Schema.is(FailureReason))) }
}

const hundred = (first: number) => Array.from({ length: 100 }, (_, index) => first + index)
