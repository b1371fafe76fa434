import { asObject, at, type Json, mapOperations } from "./Json.ts"

const isNull = (schema: unknown): boolean => asObject(schema)["type"] === "null"

/** Says of a body that may be left out that it is not required: the generator says that it may be null. */
export const withOptionalBodies = (document: Json): Json => ({
  ...document,
  paths: mapOperations(document, (operation) => {
    const content = Object.entries(at(operation, "requestBody", "content"))
    const either = content.map(([type, media]) => [type, media, at(asObject(media), "schema")["anyOf"]] as const)
    if (!either.some(([, , choices]) => Array.isArray(choices) && choices.some(isNull))) return operation
    return {
      ...operation,
      requestBody: {
        content: Object.fromEntries(
          either.map(([type, media, choices]) => [
            type,
            Array.isArray(choices) && choices.some(isNull)
              ? { ...asObject(media), schema: choices.find((each) => !isNull(each)) }
              : media
          ])
        ),
        required: false
      }
    }
  })
})
