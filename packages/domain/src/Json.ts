/** A value of JSON (RFC 8259). */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | JsonObject

/** An object of JSON. A member that is undefined is not written. */
export interface JsonObject {
  readonly [name: string]: Json | undefined
}

/** Whether it is an object of JSON, and no list. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)
