import { assert, describe, it } from "@effect/vitest"
import { asLogin, driverOptions, format, inDatabase, parse, read } from "@llm-saas/database/logins/DatabaseUrl"
import { Redacted, Result } from "effect"
import * as fc from "fast-check"
import { userInfo } from "node:os"
import pg from "pg"

const parts = (text: string): Record<string, unknown> => {
  const { parameters, password, ...rest } = Result.getOrThrow(parse(text))
  return { ...rest, password: password && Redacted.value(password), ...parameters }
}

const reason = (text: string) => Result.match(parse(text), { onFailure: ({ reason }) => reason, onSuccess: () => "" })

const every = (text: string) =>
  [...Buffer.from(text, "utf8")].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("")

describe("a database's URL", () => {
  it("is read as libpq reads it", () => {
    const local = { host: "localhost", port: 5432, password: undefined }
    const user = userInfo().username
    assert.deepStrictEqual(parts("postgres://u@h/d"), { ...local, host: "h", user: "u", database: "d" })
    assert.deepStrictEqual(parts("postgres://h/d?user=u&password=p"), {
      host: "h",
      port: 5432,
      user: "u",
      password: "p",
      database: "d"
    })
    // The query overrides.
    assert.deepStrictEqual(parts("postgres://a:b@c:1/d?user=u&password=p&host=h&port=2&dbname=e"), {
      host: "h",
      port: 2,
      user: "u",
      password: "p",
      database: "e"
    })
    // A socket's directory, in three places.
    const socket = { ...local, host: "/run/postgresql", user: "u", database: "d" }
    assert.deepStrictEqual(parts("postgres:///d?host=/run/postgresql&user=u"), socket)
    assert.deepStrictEqual(parts("postgres://u@/d?host=/run/postgresql"), socket)
    assert.deepStrictEqual(parts("postgres://u@%2Frun%2Fpostgresql/d"), socket)
    // An address of IPv6, with a zone.
    assert.deepStrictEqual(parts("postgres://u@[::1]:7/d"), {
      ...local,
      host: "::1",
      port: 7,
      user: "u",
      database: "d"
    })
    assert.strictEqual(parts("postgres://u@[fe80::1%25eth0]/d").host, "fe80::1%eth0")
    // A plus is a plus, # and ? belong to a password, a colon too.
    assert.strictEqual(parts("postgres://u:a+b%2Bc#d?e:f@h/d").password, "a+b+c#d?e:f")
    assert.strictEqual(parts("postgres://h/d?user=u&password=a+b%2Bc").password, "a+b+c")
    // Missing parts.
    assert.deepStrictEqual(parts("postgres://h"), { ...local, host: "h", user, database: user })
    assert.strictEqual(parts("postgres://u@h").database, "u")
    assert.strictEqual(parts("postgres://u@h:/d").port, 5432)
  })

  it("of SQLAlchemy, of older drivers and of other programs is understood", () => {
    const plain = parts("postgresql://u:p@h:1/d")
    for (const scheme of ["postgres", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2", "POSTGRESQL"])
      assert.deepStrictEqual(parts(`${scheme}://u:p@h:1/d`), plain)
    assert.deepStrictEqual(parts("postgresql+asyncpg://u:p@h:1/d?ssl=require"), { ...plain, sslmode: "require" })
    assert.deepStrictEqual(parts("postgresql://u:p@h:1/d?ssl=true"), { ...plain, sslmode: "require" })
    assert.deepStrictEqual(parts("postgresql://u:p@h:1/d?schema=public&pgbouncer=true&pool_timeout=0"), plain)
  })

  it("that cannot be used is refused with the reason, without repeating any part of it", () => {
    const secret = "hunter2"
    const broken = {
      "mysql://u:hunter2@h/d": /begin with postgres/,
      hunter2: /begin with postgres/,
      "postgres://u:hunter2@h1,h2/d": /several hosts/,
      "postgres://u:hunter2@h1:1,h2:2/d": /several hosts/,
      "postgres:///d?host=hunter2,h2&user=u": /several hosts/,
      "postgres://u:hun@ter2@h/d": /%40/,
      "postgres://u:hun/ter2@h/d": /port.*%2F/,
      "postgres://u:hunter2@h:0/d": /port/,
      "postgres://u:hunter2@h:65536/d": /port/,
      "postgres://u:hunter2@h:5432x/d": /port/,
      "postgres://u:hunter2@h/d?port=hunter2": /port/,
      "postgres://u:hunter2%@h/d": /%25/,
      "postgres://u:hunter2%zz@h/d": /hexadecimal/,
      "postgres://u:hunter2%00@h/d": /hexadecimal/,
      "postgres://u:hunter2%ff@h/d": /UTF-8/,
      "postgres://u:hunter2@[::1/d": /host/,
      "postgres://u:hunter2@h/d?sslmode=hunter2": /sslmode is one of/,
      "postgres://u:hunter2@h/d?hunter2": /name=value/,
      "postgres://u:hunter2@h/d?a=b=hunter2": /name=value/,
      "postgres://u:hunter2@h/d?service=hunter2": /service/,
      "postgres://u:hunter2@h/d?hostaddr=10.0.0.1": /hostaddr/
    }
    for (const [text, expected] of Object.entries(broken)) {
      assert.match(reason(text), expected, text)
      assert.notInclude(reason(text), secret)
      assert.notInclude(reason(text), "ter2")
    }
  })

  // Every placement of login and host, plain and encoded, once and twice.
  const word = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
    .filter((text) => !text.includes("\0") && text.isWellFormed())
  const place = fc.constantFrom("before", "query", "both")
  const HOSTS = ["db.example.com", "127.0.0.1", "::1", "fe80::1%eth0", "/var/run/postgresql", "/tmp/a b#c?d%"]
  const given = fc.record({
    user: word.map((text) => `admin-${text}`),
    password: word.map((text) => `secret-${text}`),
    host: fc.constantFrom(...HOSTS),
    port: fc.integer({ min: 1, max: 65_535 }),
    database: word,
    places: fc.record({ user: place, password: place, host: place, port: place, database: place }),
    encode: fc.constantFrom(every, encodeURIComponent),
    extra: fc.constantFrom("", "sslmode=require", "sslcert=admin.crt&sslkey=admin.key", "options=-c%20role%3Dpostgres"),
    scheme: fc.constantFrom("postgres", "postgresql", "postgresql+asyncpg")
  })

  const written = ({
    database,
    encode,
    extra,
    host,
    password,
    places,
    port,
    scheme,
    user
  }: typeof given extends fc.Arbitrary<infer A> ? A : never) => {
    // Before the @ stands what is meant, or a decoy that the query overrules.
    const before = (where: string, value: string, decoy: string) =>
      where === "query" ? "" : where === "both" ? decoy : value
    const address = host.includes(":") ? `[${host.replace("%", "%25")}]` : encode(host)
    const login = [before(places.user, encode(user), "root"), before(places.password, encode(password), "toor")]
    const netloc = `${before(places.host, address, "decoy.invalid")}${places.port === "query" ? "" : `:${before(places.port, String(port), "1")}`}`
    const query = [
      ...(places.user === "before" ? [] : [`user=${encode(user)}`]),
      ...(places.password === "before" ? [] : [`password=${encode(password)}`]),
      ...(places.host === "before" ? [] : [`host=${encode(host)}`]),
      ...(places.port === "before" ? [] : [`port=${port}`]),
      ...(places.database === "before" ? [] : [`dbname=${encode(database)}`]),
      ...(extra === "" ? [] : [extra])
    ]
    return `${scheme}://${login.join(":")}@${netloc}/${before(places.database, encode(database), "decoy")}?${query.join("&")}`
  }

  it("says the same wherever its parts stand, and a login derived from it has nothing of the administrator's", () => {
    fc.assert(
      fc.property(given, word, (wanted, secret) => {
        const admin = Redacted.make(written(wanted))
        const found = read(admin)
        const { database, host, password, port, user } = wanted
        assert.deepStrictEqual(
          [found.user, found.password && Redacted.value(found.password), found.host, found.port, found.database],
          [user, password, host, port, database]
        )
        // Formatted again it is the same, for us and for other URL parsers.
        const again = format(found)
        assert.deepStrictEqual(read(again), found)
        assert.isTrue(URL.canParse(Redacted.value(again)))
        assert.strictEqual(read(inDatabase(admin, "other")).database, "other")

        const derived = asLogin(admin, "llm_api", Redacted.make(secret))
        const options = driverOptions(derived)
        assert.deepStrictEqual(
          [
            options.username,
            options.password && Redacted.value(options.password),
            options.host,
            options.port,
            options.database
          ],
          ["llm_api", secret, host, port, database]
        )
        const text = decodeURIComponent(Redacted.value(derived))
        for (const foreign of ["admin-", "secret-", "toor", "root", "admin.crt", "role=postgres"])
          if (![database, secret].some((mine) => mine.includes(foreign))) assert.notInclude(text, foreign)
        assert.deepStrictEqual(
          Object.keys(read(derived).parameters),
          wanted.extra === "sslmode=require" ? ["sslmode"] : []
        )
      })
    )
  })

  it("written down by us is read alike by another driver", () => {
    fc.assert(
      fc.property(given, (any) => {
        // That one does not decode all of a path: a database's name is a simple one here.
        const wanted = { ...any, extra: "" as const, database: "a database" }
        const text = Redacted.value(format(read(Redacted.make(written(wanted)))))
        const client = new pg.Client({ connectionString: text })
        assert.deepStrictEqual(
          [client.user, client.password, client.host, client.port, client.database],
          [wanted.user, wanted.password, wanted.host, wanted.port, wanted.database]
        )
      })
    )
  })

  it("keeps what a proxy needs to know of the server, and no setting", () => {
    const derived = (options: string) =>
      read(asLogin(Redacted.make(`postgres://a:b@h/d?options=${encodeURIComponent(options)}`), "u", Redacted.make("p")))
        .parameters
    assert.deepStrictEqual(derived("endpoint=ep-cool-1"), { options: "endpoint=ep-cool-1" })
    for (const setting of ["-c role=postgres", "-crow_security=off", "--role=postgres", "endpoint=x -c role=a"])
      assert.deepStrictEqual(derived(setting), {})
  })
})
