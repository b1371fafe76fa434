import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, FileSystem, Redacted } from "effect"
import { join } from "node:path"
import { inspect } from "node:util"
import * as DotEnv from "../src/config/DotEnv.ts"
import { Settings, settings } from "../src/config/Settings.ts"
import { VARIABLES } from "../src/config/Variables.ts"
import { weakness } from "../src/auth/SecretStrength.ts"

const EXAMPLE = join(import.meta.dirname, "../../../.env.example")
const STRONG = "vN3wQm0Zk8JtYx5Lr2PbHs7Dc4Fg9Ua1Ee6Oi0XqRz"
const ENCRYPTION_KEY = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="
const PRODUCTION = {
  APP_ENV: "production",
  SECRET_KEY: STRONG,
  ENCRYPTION_KEY,
  DATABASE_URL: "postgres://llm_api:pw@db/app"
}

const read = (variables: Readonly<Record<string, string>>) =>
  Effect.provideService(settings, ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(variables))
const refusal = (variables: Readonly<Record<string, string>>) =>
  Effect.map(Effect.flip(read(variables)), (error) => error.message)

const NAMES = Object.keys(VARIABLES)
const provide = (sources: Omit<DotEnv.Sources, "names">) => DotEnv.provider({ ...sources, names: NAMES })

describe("settings", () => {
  it.effect("need nothing to be set", () =>
    Effect.gen(function* () {
      const found = yield* read({})
      assert.strictEqual(found.APP_ENV, "development")
      assert.strictEqual(found.HOST, "127.0.0.1")
      assert.strictEqual(found.PORT, 8000)
      assert.strictEqual(found.ALGORITHM, "HS256")
      assert.strictEqual(found.ACCESS_TOKEN_EXPIRE_MINUTES, 60)
      assert.strictEqual(found.LOG_LEVEL, "info")
      assert.strictEqual(found.SECRET_KEY, undefined)
      assert.deepStrictEqual(found.ALLOWED_ORIGINS, [])
      assert.isAtLeast(found.PASSWORD_THREADS, 1)
    })
  )

  it.effect("are read as people write them", () =>
    Effect.gen(function* () {
      const found = yield* read({
        DEBUG: "on",
        PORT: "0",
        LOG_LEVEL: "WARN",
        ALLOWED_ORIGINS: '["https://app.example.com", "http://localhost:3000"]',
        TRUSTED_PROXIES: '["10.0.0.0/8", "::1"]',
        DATABASE_URL: "postgresql:///app?host=/run/postgresql",
        REGISTRATION_DEFAULT: "closed"
      })
      assert.isTrue(found.DEBUG)
      assert.strictEqual(found.PORT, 0)
      assert.strictEqual(found.LOG_LEVEL, "warning")
      assert.deepStrictEqual(found.ALLOWED_ORIGINS, ["https://app.example.com", "http://localhost:3000"])
      assert.deepStrictEqual(found.TRUSTED_PROXIES, ["10.0.0.0/8", "::1"])
      assert.strictEqual(found.REGISTRATION_DEFAULT, "closed")
      assert.strictEqual((yield* read({ DEBUG: "true" })).LOG_LEVEL, "debug")
    })
  )

  it.effect("let every client create tenants, but not in production, and only with the token where there is one", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* read({})).TENANT_CREATION, "open")
      assert.strictEqual((yield* read(PRODUCTION)).TENANT_CREATION, "closed")
      assert.strictEqual((yield* read({ ...PRODUCTION, TENANT_CREATION: "open" })).TENANT_CREATION, "open")
      assert.strictEqual((yield* read({ TENANT_CREATION_TOKEN: "short" })).TENANT_CREATION, "token")
      assert.strictEqual((yield* read({ ...PRODUCTION, TENANT_CREATION_TOKEN: STRONG })).TENANT_CREATION, "token")
      const token = { TENANT_CREATION: "token" }
      assert.match(yield* refusal(token), /TENANT_CREATION_TOKEN.*because TENANT_CREATION is token/u)
      assert.match(
        yield* refusal({ ...PRODUCTION, TENANT_CREATION_TOKEN: "short" }),
        /TENANT_CREATION_TOKEN.*32 random/u
      )
      assert.match(yield* refusal({ TENANT_CREATION: "perhaps" }), /TENANT_CREATION.*open, token or closed/u)
    })
  )

  it.effect("that are broken are all named, each in a line, with what is expected and never with their value", () =>
    Effect.gen(function* () {
      const broken = {
        APP_ENV: "prod",
        DEBUG: "hunter2",
        PORT: "0x10",
        ALGORITHM: "none",
        ACCESS_TOKEN_EXPIRE_MINUTES: "1e3",
        DATABASE_URL: "mysql://root:hunter2@db/app",
        DATABASE_ADMIN_URL: "postgres://hunter2:hunter2@:x/",
        ALLOWED_ORIGINS: "https://hunter2",
        TRUSTED_PROXIES: '["10.0.0.0/33"]',
        MAX_BODY_BYTES: "-1",
        LOG_LEVEL: "hunter2",
        KEEP_ALIVE_SECONDS: "0",
        HOST: "x86_64-conda-linux-gnu"
      }
      const message = yield* refusal(broken)
      const lines = message.split("\n")
      assert.deepStrictEqual(new Set(lines.map((text) => text.split(" ")[0])), new Set(Object.keys(broken)))
      for (const text of lines) assert.match(text, /^[A-Z_]+ is not usable: expected \S/)
      assert.notInclude(message, "hunter2")
    })
  )

  it.effect("take origins only as browsers send them", () =>
    Effect.gen(function* () {
      const bad = [
        "*",
        "null",
        "https://a.example/",
        "https://a.example/x",
        "https://A.example",
        "https://a.example:443",
        "ftp://a.example",
        "a.example"
      ]
      for (const origin of bad)
        assert.match(yield* refusal({ ALLOWED_ORIGINS: JSON.stringify([origin]) }), /^ALLOWED_ORIGINS /, origin)
    })
  )

  it.effect("ask for a key file where tokens are signed with a key pair", () =>
    Effect.gen(function* () {
      assert.match(yield* refusal({ ALGORITHM: "RS256" }), /^JWT_PRIVATE_KEY_FILE .*RS256/)
      assert.strictEqual((yield* read({ ALGORITHM: "EdDSA", JWT_PRIVATE_KEY_FILE: "jwt.pem" })).ALGORITHM, "EdDSA")
    })
  )
})

describe("the model", () => {
  it.effect("is the mock, until there is a key or a server, or it is named", () =>
    Effect.gen(function* () {
      const provider = (variables: Readonly<Record<string, string>>) =>
        Effect.map(read(variables), ({ LLM_PROVIDER }) => LLM_PROVIDER)
      assert.strictEqual(yield* provider({}), "mock")
      assert.strictEqual(yield* provider({ OPENAI_API_KEY: "sk-1" }), "openai")
      assert.strictEqual(yield* provider({ OPENAI_BASE_URL: "http://localhost:11434/v1" }), "openai")
      assert.strictEqual(yield* provider({ OPENAI_API_KEY: "sk-1", LLM_PROVIDER: "mock" }), "mock")
      assert.strictEqual(yield* provider({ LLM_MODEL: "gpt-5" }), "mock")
      assert.match(yield* refusal({ LLM_PROVIDER: "openai" }), /^OPENAI_API_KEY /)
    })
  )

  it.effect("is asked as settings say", () =>
    Effect.gen(function* () {
      const found = yield* read({ LLM_TEMPERATURE: "0", LLM_PRICE_INPUT_PER_MILLION: "0.15" }).pipe(Effect.flip)
      assert.match(found.message, /^LLM_PRICE_OUTPUT_PER_MILLION /)
      const defaults = yield* read({})
      assert.deepStrictEqual(
        [defaults.LLM_MODEL, defaults.LLM_MAX_TOKENS, defaults.LLM_TEMPERATURE],
        ["gpt-4o-mini", 1024, 0.7]
      )
      assert.strictEqual((yield* read({ LLM_TEMPERATURE: "2" })).LLM_TEMPERATURE, 2)
      for (const LLM_TEMPERATURE of ["2.1", "-1", "1e-3", ".5", "NaN", "0,7"])
        assert.match(yield* refusal({ LLM_TEMPERATURE }), /^LLM_TEMPERATURE /)
    })
  )

  it.effect("is asked for no temperature where it is empty or none, in the environment and in a file", () =>
    Effect.gen(function* () {
      for (const LLM_TEMPERATURE of ["", "none"])
        assert.strictEqual((yield* read({ LLM_TEMPERATURE, LLM_MODEL: "x" })).LLM_TEMPERATURE, undefined)
      assert.strictEqual((yield* read({ LLM_MODEL: "x", LLM_MAX_TOKENS: "1" })).LLM_TEMPERATURE, 0.7)
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const path = join(directory, ".env")
      for (const [file, environment, expected] of [
        ["LLM_TEMPERATURE=\n", {}, undefined],
        ["LLM_TEMPERATURE=0.5\n", {}, 0.5],
        ["LLM_TEMPERATURE=0.5\n", { LLM_TEMPERATURE: "" }, undefined],
        ["LLM_TEMPERATURE=\nLLM_MODEL=\n", { LLM_TEMPERATURE: "1" }, 1],
        ["LLM_MODEL=\n", {}, 0.7]
      ] as const) {
        yield* fs.writeFileString(path, file)
        const source = yield* provide({ path, environment })
        const found = yield* Effect.provideService(settings, ConfigProvider.ConfigProvider, source)
        assert.deepStrictEqual([found.LLM_TEMPERATURE, found.LLM_MODEL], [expected, "gpt-4o-mini"], file)
      }
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )

  it.effect("is asked through a proxy as other programs read it, whose login is never shown", () =>
    Effect.gen(function* () {
      const shown = (value: Redacted.Redacted | undefined) => value && Redacted.value(value)
      const found = yield* read({
        HTTPS_PROXY: "http://me:hunter2@proxy.example.com:3128",
        http_proxy: "proxy.example.com:3128",
        no_proxy: ".example.com,10.0.0.1"
      })
      assert.deepStrictEqual(
        [shown(found.HTTPS_PROXY), shown(found.HTTP_PROXY), found.NO_PROXY],
        ["http://me:hunter2@proxy.example.com:3128", "http://proxy.example.com:3128", ".example.com,10.0.0.1"]
      )
      assert.notInclude(inspect(found), "hunter2")
      for (const HTTPS_PROXY of ["socks5://me:hunter2@p:1", "http://", "http://p/x", "://"]) {
        const message = yield* refusal({ HTTPS_PROXY })
        assert.match(message, /^HTTPS_PROXY /)
        assert.notInclude(message, "hunter2")
      }
      assert.match(yield* refusal({ http_proxy: "socks5://p:1" }), /^HTTP_PROXY /)
    })
  )

  it.effect("is somewhere to send a question to, with a key that is never shown", () =>
    Effect.gen(function* () {
      const bad = [
        "localhost:11434",
        "ftp://a.example",
        "http://me:hunter2@a.example",
        "http://a.example/?k=hunter2",
        "x"
      ]
      for (const OPENAI_BASE_URL of bad) {
        const message = yield* refusal({ OPENAI_BASE_URL })
        assert.match(message, /^OPENAI_BASE_URL /)
        assert.notInclude(message, "hunter2")
      }
      for (const OPENAI_API_KEY of ["hunter2 hunter2", "hunter2\nX-Evil: 1", "hunter2é"]) {
        const message = yield* refusal({ OPENAI_API_KEY })
        assert.match(message, /^OPENAI_API_KEY /)
        assert.notInclude(message, "hunter2")
      }
      assert.notInclude(inspect(yield* read({ OPENAI_API_KEY: "hunter2" }), { depth: 9 }), "hunter2")
      assert.match(
        yield* refusal({ OPENAI_API_VERSION: "2024-10-21" }),
        /^OPENAI_BASE_URL .*Azure.*\nOPENAI_API_KEY .*Azure/
      )
    })
  )
})

describe("production", () => {
  it.effect("starts with a strong key and a database, not in debug mode", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* read(PRODUCTION)).APP_ENV, "production")
      const message = yield* refusal({ APP_ENV: "production", DEBUG: "true" })
      assert.deepStrictEqual(
        message.split("\n").map((text) => text.split(" ")[0]),
        ["SECRET_KEY", "ENCRYPTION_KEY", "DATABASE_URL", "DEBUG"]
      )
    })
  )

  it.effect("sends answers to no tracker unless it is told to; development looks for MLflow on this machine", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* read(PRODUCTION)).MLFLOW_TRACKING_URI, "off")
      const named = yield* read({ ...PRODUCTION, MLFLOW_TRACKING_URI: "http://mlflow:5000" })
      assert.strictEqual(named.MLFLOW_TRACKING_URI, "http://mlflow:5000")
      assert.strictEqual((yield* read({})).MLFLOW_TRACKING_URI, "http://127.0.0.1:5001")
    })
  )

  it.effect("takes keys of 32 bytes to encrypt with, in hex or base64, and no others", () =>
    Effect.gen(function* () {
      const hex = "0123456789abcdef".repeat(4)
      for (const key of [ENCRYPTION_KEY, ENCRYPTION_KEY.replace("=", ""), hex, hex.toUpperCase()]) {
        const found = yield* read({
          ...PRODUCTION,
          ENCRYPTION_KEY: key,
          ENCRYPTION_KEYS_OLD: `${hex}, ${ENCRYPTION_KEY}`
        })
        assert.strictEqual(found.ENCRYPTION_KEY && Redacted.value(found.ENCRYPTION_KEY), key)
        assert.deepStrictEqual(found.ENCRYPTION_KEYS_OLD.map(Redacted.value), [hex, ENCRYPTION_KEY])
        assert.notInclude(JSON.stringify(found), key)
      }
      for (const wrong of ["short", hex.slice(1), `${hex}00`, ENCRYPTION_KEY.slice(4), `${ENCRYPTION_KEY}=`]) {
        const message = yield* refusal({ ...PRODUCTION, ENCRYPTION_KEY: wrong })
        assert.match(message, /^ENCRYPTION_KEY is not usable: expected 32 bytes in base64 or hex/)
        assert.notInclude(message, wrong)
        assert.match(yield* refusal({ ENCRYPTION_KEYS_OLD: `${hex},${wrong}` }), /^ENCRYPTION_KEYS_OLD is not usable/)
      }
    })
  )

  it.effect("refuses weak keys and does not show them; development takes them", () =>
    Effect.gen(function* () {
      for (const SECRET_KEY of ["short", "a".repeat(64), "change-me-to-something-long-and-random-please"]) {
        const message = yield* refusal({ ...PRODUCTION, SECRET_KEY })
        assert.match(message, /^SECRET_KEY is not usable: expected at least 32 random bytes/)
        assert.notInclude(message, SECRET_KEY)
        const found = yield* read({ SECRET_KEY })
        assert.notInclude(JSON.stringify(found), SECRET_KEY)
      }
    })
  )

  it("knows samples, patterns and short keys", () => {
    for (const weak of [
      "x".repeat(31),
      "ab".repeat(20),
      "0123456789abcdef".repeat(3),
      "your-256-bit-key-goes-here-0123456789",
      "<openssl rand -base64 48 goes here!>",
      "supersecretkeysupersecretkey1234"
    ]) {
      assert.isDefined(weakness(weak), weak)
    }
    for (const strong of [
      STRONG,
      "3b1f8e0c92d7465aa0f1e2d3c4b5967828f1a6c05d9e47b3",
      "horse 7 battery Staple! correct§ 99"
    ]) {
      assert.isUndefined(weakness(strong), strong)
    }
  })
})

describe(".env", () => {
  it.effect("is behind the environment, and an empty variable counts as absent in both", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const file = join(directory, ".env")
      yield* fs.writeFileString(file, 'PORT=1111\nAPP_NAME="Acme # 1"\nHOST=\n\nexport LOG_LEVEL=error # quiet\n')
      const provider = yield* provide({ path: file, environment: { PORT: "2222", APP_NAME: "" } })
      const found = yield* Effect.provideService(settings, ConfigProvider.ConfigProvider, provider)
      assert.strictEqual(found.PORT, 2222)
      assert.strictEqual(found.APP_NAME, "Acme # 1")
      assert.strictEqual(found.HOST, "127.0.0.1")
      assert.strictEqual(found.LOG_LEVEL, "error")
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.effect("need not be there, but must be readable if it is", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      yield* provide({ path: join(directory, ".env"), environment: {} })
      const error = yield* Effect.flip(provide({ path: directory, environment: {} }))
      assert.include(error.message, "expected a text file")
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.effect("are read as editors of any system save them, and refused where that is not UTF-8", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = join(yield* fs.makeTempDirectoryScoped(), ".env")
      const portOf = (bytes: Uint8Array) =>
        Effect.gen(function* () {
          yield* fs.writeFile(path, bytes)
          const provider = yield* provide({ path, environment: {} })
          return (yield* Effect.provideService(settings, ConfigProvider.ConfigProvider, provider)).PORT
        })
      const text = "# Grüße\r\nAPP_NAME=Müller\r\nPORT=81\r\n"
      for (const saved of [text, `\uFEFF${text}`, text.replaceAll("\r\n", "\n"), text.replaceAll("\r\n", "\r")])
        assert.strictEqual(yield* portOf(Buffer.from(saved, "utf8")), 81)
      const bigEndian = (of: string) => Buffer.from(of, "utf16le").swap16()
      for (const bytes of [
        Buffer.from(`\uFEFF${text}`, "utf16le"),
        Buffer.from(text, "utf16le"),
        Buffer.from("PORT=81", "utf16le"),
        bigEndian(`\uFEFF${text}`),
        bigEndian(text),
        Buffer.from(text, "latin1")
      ]) {
        const { message } = yield* Effect.flip(portOf(bytes))
        assert.match(message, /\.env is not usable: expected a text file in UTF-8; save it again/u)
        assert.notInclude(message, "\n")
      }
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )

  it.effect(".example has every variable, no other, and the defaults", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const text = yield* fs.readFileString(EXAMPLE)
      const names = [...text.matchAll(/^([A-Z0-9_]+)=/gmu)].map(([, name]) => name ?? "")
      assert.deepStrictEqual(names.sort(), Object.keys(VARIABLES).sort())
      const found = yield* Effect.provideService(
        settings,
        ConfigProvider.ConfigProvider,
        ConfigProvider.fromDotEnvContents(text)
      )
      assert.deepStrictEqual(found, yield* read({}))
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})

describe("a variable by file", () => {
  const within = Effect.fn(function* (files: Record<string, string>, environment: Record<string, string>) {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    const place = (text: string) => text.replace("DIR", directory)
    for (const [name, text] of Object.entries(files)) yield* fs.writeFileString(join(directory, name), place(text))
    const placed = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, place(value)]))
    const provider = yield* provide({ path: join(directory, ".env"), environment: placed })
    return yield* Effect.provideService(settings, ConfigProvider.ConfigProvider, provider)
  })
  const refused = (...given: Parameters<typeof within>) =>
    Effect.map(Effect.flip(within(...given)), (error) => error.message)

  it.effect("is what the file says, but for the end of its line", () =>
    Effect.gen(function* () {
      const found = yield* within(
        { key: `${STRONG}\n`, url: "postgres://llm_api:pw@db/app\r\n", ".env": "ALLOWED_ORIGINS=[]" },
        {
          APP_ENV: "production",
          SECRET_KEY_FILE: "DIR/key",
          ENCRYPTION_KEY,
          DATABASE_URL_FILE: "DIR/url",
          SECRET_KEY: ""
        }
      )
      assert.strictEqual(found.SECRET_KEY && Redacted.value(found.SECRET_KEY), STRONG)
      assert.strictEqual(
        found.DATABASE_URL && Redacted.value(found.DATABASE_URL),
        "postgresql://llm_api:pw@db:5432/app"
      )
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.effect("of the environment is before one of .env, whichever of the two is a file", () =>
    Effect.gen(function* () {
      const file = yield* within({ key: STRONG, ".env": "SECRET_KEY=behind" }, { SECRET_KEY_FILE: "DIR/key" })
      const value = yield* within({ ".env": "SECRET_KEY_FILE=/nowhere" }, { SECRET_KEY: STRONG }).pipe(Effect.flip)
      const empty = yield* within({ ".env": `SECRET_KEY=${STRONG}` }, { SECRET_KEY_FILE: "" })
      assert.strictEqual(file.SECRET_KEY && Redacted.value(file.SECRET_KEY), STRONG)
      assert.include(value.message, "SECRET_KEY_FILE", "a file that is named must be there")
      assert.strictEqual(empty.SECRET_KEY && Redacted.value(empty.SECRET_KEY), STRONG)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.effect("is refused where it cannot be read, is empty, or is not alone; all at once, without content", () =>
    Effect.gen(function* () {
      const message = yield* refused(
        { key: "hunter2", empty: "\n" },
        {
          SECRET_KEY_FILE: "DIR/key",
          SECRET_KEY: "x",
          DATABASE_URL_FILE: "DIR/none",
          DATABASE_ADMIN_URL_FILE: "DIR/empty"
        }
      )
      assert.deepStrictEqual(message.split("\n"), [
        "SECRET_KEY_FILE is not usable: expected nothing, because SECRET_KEY is set too",
        "DATABASE_URL_FILE is not usable: expected the path of a text file that may be read",
        "DATABASE_ADMIN_URL_FILE is not usable: expected the path of a file that is not empty"
      ])
      assert.match(yield* refused({ url: "hunter2" }, { DATABASE_URL_FILE: "DIR/url" }), /^DATABASE_URL is not usable/)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.effect("whose name begins another's does not hide what stands in .env", () =>
    Effect.gen(function* () {
      const found = yield* within(
        { port: "7\n", ".env": "HOST=::1\nPORT_FILE=DIR/port" },
        { PORT_NAME: "x", HOST_ID: "y" }
      )
      assert.deepStrictEqual([found.HOST, found.PORT], ["::1", 7])
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})

it.effect("docker-compose.yml sets variables that there are", () =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const text = yield* fs.readFileString(join(import.meta.dirname, "../../../docker-compose.yml"))
    const ours = text.slice(text.indexOf("\n  migrate:"), text.indexOf("\n  pgbouncer:"))
    const names = [...ours.matchAll(/^ {6}([A-Z_]+):/gmu)].map(([, name]) => (name ?? "").replace(/_FILE$/u, ""))
    assert.includeMembers(names, ["SECRET_KEY", "DATABASE_URL", "DATABASE_ADMIN_URL"])
    assert.deepStrictEqual(
      names.filter((name) => !NAMES.includes(name)),
      []
    )
  }).pipe(Effect.provide(NodeFileSystem.layer))
)

it.effect("a secret is redacted as soon as it is read", () =>
  Effect.gen(function* () {
    const found = yield* read(PRODUCTION)
    assert.isTrue(Redacted.isRedacted(found.SECRET_KEY))
    assert.isTrue(Redacted.isRedacted(found.DATABASE_URL))
    assert.notInclude(`${JSON.stringify(Settings.of(found))} ${inspect(found)}`, STRONG)
  })
)
