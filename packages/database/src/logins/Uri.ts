import { Result } from "effect"

const SCHEME = /^postgres(?:ql)?(?:\+[a-z0-9_]+)?:\/\//iu

type Parts = Readonly<Record<string, string>>

/**
 * Takes a connection URI apart as libpq does (`conninfo_uri_parse_options` in fe-connect.c), into libpq's keywords. WHATWG's parser
 * differs: it takes a password that ends in `#` for a host, `+` in a query for a blank, and refuses a socket's user. Fails with a reason
 * that repeats nothing of the text.
 */
export const splitUri = (text: string): Result.Result<Parts, string> => {
  const scheme = SCHEME.exec(text)?.[0]
  if (scheme === undefined) return Result.fail("it does not begin with postgres:// or postgresql://")
  const rest = text.slice(scheme.length)
  // The login ends at the first @ before a slash.
  const [, login, after = ""] = /^([^@/]*)@(.*)$/su.exec(rest) ?? [undefined, undefined, rest]
  const [, user, password] = /^([^:]*)(?::(.*))?$/su.exec(login ?? "") ?? []
  const [, netloc = "", path, query] = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/su.exec(after) ?? []
  const places = netloc.split(",").map((place) => /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(.*))?$/su.exec(place))
  if (places.some((place) => place === null)) return Result.fail("the address of its host is not complete")
  const pairs = query === undefined || query === "" ? [] : query.split("&").map((pair) => pair.split("="))
  if (pairs.some((pair) => pair.length !== 2))
    return Result.fail("a parameter after its question mark is not of the form name=value")
  const before = {
    user,
    password,
    host: places.map((place) => place?.[1] ?? place?.[2] ?? "").join(","),
    port: places.map((place) => place?.[3] ?? "").join(","),
    dbname: path
  }
  // In this order: later ones override earlier ones.
  return decodeAll([
    ...Object.entries(before).flatMap(([name, value]) => (value === undefined || value === "" ? [] : [[name, value]])),
    ...pairs
  ])
}

const decodeAll = (pairs: ReadonlyArray<ReadonlyArray<string>>): Result.Result<Parts, string> => {
  const parts = new Map<string, string>()
  for (const [name = "", value = ""] of pairs) {
    const [key, text] = [decode(name), decode(value)]
    if (key === undefined || text === undefined)
      return Result.fail(
        "a % in it is not followed by two hexadecimal digits of UTF-8 text (a % itself is written %25)"
      )
    parts.set(key, text)
  }
  return Result.succeed(Object.fromEntries(parts))
}

/** Percent-encoding only: `+` is a plus. Undefined where it is broken, and for %00. */
const decode = (text: string): string | undefined =>
  /%(?![0-9a-f]{2})|%00/iu.test(text) ? undefined : utf8(Buffer.from(unescaped(text), "latin1"))

/** One character per byte. */
const unescaped = (text: string) =>
  Buffer.from(text, "utf8")
    .toString("latin1")
    .replaceAll(/%([0-9a-f]{2})/giu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

const utf8 = (bytes: Buffer) => {
  const text = bytes.toString("utf8")
  return Buffer.from(text, "utf8").equals(bytes) ? text : undefined
}
