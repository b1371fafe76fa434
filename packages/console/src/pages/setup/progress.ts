/** How far the first run is, in this browser: a reload goes on there. Nothing secret. */
export interface Progress {
  readonly step: Step
  /** Of the tenant to make. */
  readonly name: string
  /** The tenant, once it is made. */
  readonly tenant?: string
  /** Its first admin, once there is one. */
  readonly email?: string
  /** The API key that was made; its secret was shown then, and is kept nowhere. */
  readonly key?: string
}

export const STEPS = ["tenant", "admin", "ask", "connect", "key"] as const
export type Step = (typeof STEPS)[number]

const KEY = "llm-saas setup"

/** Undefined: it has not begun, or is over. */
export const progress = (): Progress | undefined => {
  try {
    return read(JSON.parse(localStorage.getItem(KEY) ?? "null"))
  } catch {
    return undefined
  }
}

/** What was kept, if it is what this version keeps. */
export const read = (kept: unknown): Progress | undefined => {
  const text = (name: string): string | undefined => {
    const value: unknown = Reflect.get(Object(kept), name)
    return typeof value === "string" ? value : undefined
  }
  const step = STEPS.find((each) => each === text("step"))
  const [name, tenant, email, key] = [text("name"), text("tenant"), text("email"), text("key")]
  if (step === undefined || name === undefined) return undefined
  return {
    step,
    name,
    ...(tenant === undefined ? {} : { tenant }),
    ...(email === undefined ? {} : { email }),
    ...(key === undefined ? {} : { key })
  }
}

export const keep = (next: Progress | undefined): void => {
  try {
    if (next === undefined) localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, JSON.stringify(next))
  } catch {
    // Then it holds until the page is left.
  }
}
