import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"

/** What is wrong with a client's request. */
export interface Mistake {
  /** A sentence for people. It quotes no value of the request. */
  readonly message: string
  /** The member, as a path with dots: `messages.0.content`. */
  readonly param: string
}

/** How a dialect says what is wrong. */
export interface MistakeWords {
  readonly wrong: (path: string, expected: string) => string
  readonly missing: (path: string) => string
}

const OPENAI: MistakeWords = {
  wrong: (path, expected) => `\`${path}\` must be ${expected}.`,
  missing: (path) => `\`${path}\` is missing.`
}

/** The first mistake of a request. Reading goes on after it, so that readers need no way out. */
export class Mistakes {
  readonly #words: MistakeWords
  #first: Mistake | undefined = undefined

  constructor(words: MistakeWords = OPENAI) {
    this.#words = words
  }

  get first(): Mistake | undefined {
    return this.#first
  }

  add(param: string, message: string): undefined {
    this.#first ??= { param, message }
    return undefined
  }

  wrong(param: string, expected: string): undefined {
    return this.add(param, this.#words.wrong(param, expected))
  }

  missing(param: string): undefined {
    return this.add(param, this.#words.missing(param))
  }
}

/**
 * The members of one object of a request. A member that is missing or null is undefined; one of another type is a mistake, and
 * undefined too.
 */
export class RequestFields {
  readonly object: JsonObject
  readonly mistakes: Mistakes
  readonly #path: string

  constructor(object: JsonObject, mistakes: Mistakes, path = "") {
    this.object = object
    this.mistakes = mistakes
    this.#path = path
  }

  /** The path of a member. */
  path(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`
  }

  has(name: string): boolean {
    return this.value(name) !== undefined
  }

  value(name: string): Json | undefined {
    return Object.hasOwn(this.object, name) ? (this.object[name] ?? undefined) : undefined
  }

  text(name: string): string | undefined {
    const value = this.value(name)
    return value === undefined || typeof value === "string" ? value : this.#wrong(name, "a string")
  }

  /** A text that must be there. */
  needed(name: string): string {
    return this.has(name) ? (this.text(name) ?? "") : (this.#missing(name) ?? "")
  }

  number(name: string): number | undefined {
    const value = this.value(name)
    return value === undefined || typeof value === "number" ? value : this.#wrong(name, "a number")
  }

  integer(name: string, least = Number.MIN_SAFE_INTEGER): number | undefined {
    const value = this.value(name)
    if (value === undefined) return undefined
    if (typeof value === "number" && Number.isInteger(value) && value >= least) return value
    return this.#wrong(name, least === Number.MIN_SAFE_INTEGER ? "an integer" : `an integer of at least ${least}`)
  }

  flag(name: string): boolean | undefined {
    const value = this.value(name)
    return value === undefined || typeof value === "boolean" ? value : this.#wrong(name, "true or false")
  }

  list(name: string): ReadonlyArray<Json> | undefined {
    const value = this.value(name)
    return value === undefined || isList(value) ? value : this.#wrong(name, "a list")
  }

  fields(name: string): RequestFields | undefined {
    const value = this.value(name)
    if (value === undefined) return undefined
    return isJsonObject(value)
      ? new RequestFields(value, this.mistakes, this.path(name))
      : this.#wrong(name, "an object")
  }

  /** The objects of a list. */
  objects(name: string): ReadonlyArray<RequestFields> {
    return (this.list(name) ?? []).flatMap((value, index) => {
      const path = `${name}.${index}`
      if (isJsonObject(value)) return [new RequestFields(value, this.mistakes, this.path(path))]
      this.#wrong(path, "an object")
      return []
    })
  }

  #wrong(name: string, expected: string): undefined {
    return this.mistakes.wrong(this.path(name), expected)
  }

  #missing(name: string): undefined {
    return this.mistakes.missing(this.path(name))
  }
}

/** Whether it is a list of JSON. */
export const isList = (value: unknown): value is ReadonlyArray<Json> => Array.isArray(value)
