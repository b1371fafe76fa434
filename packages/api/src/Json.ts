import { Predicate } from "effect"

// Helpers to read and change the OpenAPI document.

export type Json = { readonly [key: string]: unknown }

/** Prefix of a reference to a schema; its name follows. */
export const REFERENCE = "#/components/schemas/"

export const asObject = (value: unknown): Json => (Predicate.isObject(value) ? { ...value } : {})

/** The object at a path of the document; an empty one where there is none. */
export const at = (document: Json, ...path: ReadonlyArray<string>): Json =>
  path.reduce((value, key) => asObject(value[key]), document)

/** The document's paths with `change` applied to each operation. */
export const mapOperations = (document: Json, change: (operation: Json, path: string) => Json): Json =>
  Object.fromEntries(
    Object.entries(at(document, "paths")).map(([path, item]) => [
      path,
      Object.fromEntries(Object.entries(asObject(item)).map(([method, each]) => [method, change(asObject(each), path)]))
    ])
  )
