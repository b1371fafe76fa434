import { Predicate } from "effect"

// The contract's document as it is walked and changed.

export type Json = { readonly [key: string]: unknown }

/** A schema of the document is referred to by this and its name. */
export const REFERENCE = "#/components/schemas/"

export const asObject = (value: unknown): Json => (Predicate.isObject(value) ? { ...value } : {})

/** The object at a place of the document; an empty one where there is none. */
export const at = (document: Json, ...path: ReadonlyArray<string>): Json =>
  path.reduce((value, key) => asObject(value[key]), document)

/** The document's paths, each operation changed. */
export const mapOperations = (document: Json, change: (operation: Json, path: string) => Json): Json =>
  Object.fromEntries(
    Object.entries(at(document, "paths")).map(([path, item]) => [
      path,
      Object.fromEntries(Object.entries(asObject(item)).map(([method, each]) => [method, change(asObject(each), path)]))
    ])
  )
