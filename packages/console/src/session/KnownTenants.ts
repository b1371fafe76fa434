import type { Tenant } from "@llm-saas/client"

/** A tenant that somebody logged in to in this browser, to choose it by its name where an address has accounts in several. */
export type KnownTenant = Pick<Tenant, "id" | "name">

const KEY = "llm-saas tenants"
const MOST = 10

/** The latest first. A browser that keeps nothing knows none. */
export const knownTenants = (): ReadonlyArray<KnownTenant> => {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]")
    return Array.isArray(kept) ? kept.filter(isKnown) : []
  } catch {
    return []
  }
}

export const remember = ({ id, name }: KnownTenant): void => {
  try {
    const others = knownTenants().filter((each) => each.id !== id)
    localStorage.setItem(KEY, JSON.stringify([{ id, name }, ...others].slice(0, MOST)))
  } catch {
    // Then its id is typed the next time.
  }
}

const isKnown = (value: unknown): value is KnownTenant =>
  typeof value === "object"
  && value !== null
  && "id" in value
  && typeof value.id === "string"
  && "name" in value
  && typeof value.name === "string"
