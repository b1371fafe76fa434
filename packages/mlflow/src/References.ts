import { isJsonObject } from "@llm-saas/domain/Json"
import { Result } from "effect"

/** Texts longer than this that look like bytes in base64 are shown by their length. */
const LONG = 1000
const DATA_URL = /^data:([\w.+-]{1,60}\/[\w.+-]{1,100})?(?:;[^,]{0,100})?,/u
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/u

/** A request's body with images, audio and files named by what they are instead of shown; undefined: it is not JSON. */
export const referring = (body: string): string | undefined => {
  const parsed = Result.try((): unknown => JSON.parse(body))
  return Result.isFailure(parsed) ? undefined : JSON.stringify(named(parsed.success))
}

const named = (value: unknown): unknown => {
  if (typeof value === "string") return value.length > LONG ? nameOf(value) : value
  if (Array.isArray(value)) return value.map(named)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, named(each)]))
}

const nameOf = (value: string): string => {
  const url = DATA_URL.exec(value)
  if (url === null && !BASE64.test(value)) return value
  const bytes = Math.floor(((value.length - (url?.[0].length ?? 0)) * 3) / 4)
  return `[${url?.[1] ?? "data"}, ${bytes} bytes]`
}
