import type { Proxies } from "@llm-saas/llm/Agents"
import type { Settings } from "../config/Settings.ts"

/** What the settings say for all providers, where a file does not say otherwise. */
export interface Defaults {
  readonly connectMs: number
  readonly firstTokenMs: number
  readonly silenceMs: number
  readonly answerMs: number
  readonly retries: number
  readonly temperature: number | undefined
  readonly proxies: Proxies
}

export const defaultsOf = (settings: Settings["Service"]): Defaults => ({
  connectMs: settings.LLM_CONNECT_SECONDS * 1000,
  firstTokenMs: settings.LLM_FIRST_TOKEN_SECONDS * 1000,
  silenceMs: settings.LLM_SILENCE_SECONDS * 1000,
  answerMs: settings.LLM_ANSWER_SECONDS * 1000,
  retries: settings.LLM_RETRIES,
  temperature: settings.LLM_TEMPERATURE,
  proxies: { http: settings.HTTP_PROXY, https: settings.HTTPS_PROXY, none: settings.NO_PROXY }
})
