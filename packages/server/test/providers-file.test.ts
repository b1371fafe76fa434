import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, FileSystem, Redacted } from "effect"
import { FALLBACK_ON } from "@llm-saas/llm/routes/Configuration"
import * as fc from "fast-check"
import { readFileSync } from "node:fs"
import { closest } from "../src/providers/Closest.ts"
import type { Defaults } from "../src/providers/Defaults.ts"
import { ModelEntry, ProviderEntry, TargetEntry } from "../src/providers/ProvidersDocument.ts"
import { load, same, snapshot } from "../src/providers/ProvidersFile.ts"

const DEFAULTS: Defaults = {
  connectMs: 10_000,
  firstTokenMs: 60_000,
  silenceMs: 30_000,
  answerMs: 600_000,
  retries: 2,
  temperature: 0.7,
  proxies: { http: undefined, https: undefined, none: undefined }
}

const SECRET = "sk-never-shown-anywhere"

const VARIABLES = ConfigProvider.fromEnvRecord({ OPENAI_API_KEY: SECRET, TWO_WORDS: "two words", TEAM: "llm" })

const read = (text: string, files: ReadonlyMap<string, string | undefined> = new Map(), path = "providers.yaml") =>
  load(path, { text, files }, DEFAULTS, VARIABLES)

const errors = (text: string, path?: string) =>
  Effect.map(Effect.flip(read(text, new Map(), path)), ({ errors, message }) => {
    assert.notInclude(message, SECRET)
    return errors.map(({ message, path }) => (path === "" ? message : `${path}: ${message}`))
  })

const GOOD = `
providers:
  openai:
    type: openai
    api_key_env: OPENAI_API_KEY
    retries: 4
  azure-eu:
    type: azure
    base_url: https://example.openai.azure.com
    api_version: 2024-10-21
    api_key_file: /run/secrets/azure
    key: tenant_only
    headers: { x-team: { env: TEAM }, x-plain: text }
    connect_seconds: 2.5
models:
  fast:
    strategy: loadbalance
    fallback_on: [429, 5xx, model_timeout]
    retries: 1
    context_window: 128000
    max_output_tokens: 16000
    created: 2025-08-07
    answer_seconds: 300
    targets:
      - { provider: openai, model: gpt-5-mini, weight: 3, max_output_tokens: 4096, temperature: 0 }
      - { provider: azure-eu, retries: 0 }
  "text/embed:3":
    kind: embeddings
    targets: [{ provider: openai, model: text-embedding-3-small }]
`

describe("a providers' file", () => {
  it.effect("is a configuration: the innermost value counts, and the settings where it has none", () =>
    Effect.gen(function* () {
      const { configuration, warnings } = yield* read(GOOD, new Map([["/run/secrets/azure", "az-key\n"]]))
      assert.deepStrictEqual(warnings, [])
      const [openai, azure] = configuration.providers
      assert.deepStrictEqual([openai?.type, openai?.keyPolicy, openai?.baseUrl], ["openai", "prefer_tenant", undefined])
      assert.strictEqual(openai?.key === undefined ? "" : Redacted.value(openai.key), SECRET)
      assert.deepStrictEqual([azure?.apiVersion, azure?.keyPolicy], ["2024-10-21", "tenant_only"])
      assert.strictEqual(azure?.key === undefined ? "" : Redacted.value(azure.key), "az-key")
      assert.deepStrictEqual(
        Object.entries(azure?.headers ?? {}).map(([name, value]) => [name, Redacted.value(value)]),
        [
          ["x-team", "llm"],
          ["x-plain", "text"]
        ]
      )
      const [fast, embed] = configuration.models
      assert.strictEqual(configuration.defaultModel, "fast")
      assert.deepStrictEqual(
        [fast?.strategy, fast?.answerMs, fast?.contextWindow, fast?.maxOutputTokens, fast?.createdAt],
        ["loadbalance", 300_000, 128_000, 16_000, 1_754_524_800]
      )
      assert.deepStrictEqual([...(fast?.fallbackOn.statuses ?? [])].length, 101)
      assert.deepStrictEqual([...(fast?.fallbackOn.reasons ?? [])], ["model_timeout"])
      const common = { firstTokenMs: 60_000, silenceMs: 30_000 }
      assert.deepStrictEqual(fast?.targets, [
        {
          provider: "openai",
          weight: 3,
          retries: 1,
          target: { model: "gpt-5-mini", maxOutputTokens: 4096, temperature: 0, connectMs: 10_000, ...common }
        },
        {
          provider: "azure-eu",
          weight: 1,
          retries: 0,
          target: { model: "fast", maxOutputTokens: 16_000, temperature: 0.7, connectMs: 2500, ...common }
        }
      ])
      assert.deepStrictEqual([embed?.alias, embed?.kind, embed?.targets[0]?.retries], ["text/embed:3", "embeddings", 4])
    })
  )

  it.effect("says what models cost: of a target before its model, as exact decimals", () =>
    Effect.gen(function* () {
      const file = (price: string, own = "") => `
providers: { openai: { type: openai, api_key_env: OPENAI_API_KEY } }
models:
  fast: { targets: [{ provider: openai${own} }], ${price} }`
      const target = Effect.fnUntraced(function* (text: string) {
        return (yield* read(text)).configuration.models[0]?.targets[0]
      })
      const priced = yield* target(file('price: { input: 0.1, output: "0.60000000000000000001", searches: 10 }'))
      assert.deepStrictEqual(
        priced?.price?.map(({ price, unit }) => [unit, price]),
        [
          ["input", "0.0000001"],
          ["output", "0.00000060000000000000000001"],
          ["searches", "0.01"]
        ]
      )
      const listed = yield* target(file("price: { input: 1 }", ", prices: openai/ft:gpt-4o/x"))
      assert.deepStrictEqual([listed?.listed, listed?.price], [{ provider: "openai", model: "ft:gpt-4o/x" }, undefined])
      assert.deepStrictEqual((yield* target(file("prices: azure")))?.listed, { provider: "azure" })
      assert.deepStrictEqual(yield* errors(file("price: { input: -1, outptu: 2 }")), [
        "models.fast.price.outptu: there is no such member; did you mean output?",
        "models.fast.price.input: expected US dollars such as 0.15, not negative"
      ])
      assert.deepStrictEqual(yield* errors(file("price: { output: 1 }")), [
        "models.fast.price.input: expected a value, and there is none"
      ])
    })
  )

  it.effect("says everything that is wrong at once, with its place, what was expected, and what may be meant", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* errors(`
provider: {}
providers:
  openai: { type: opnai, api_key: "${SECRET}", api_kee_env: X }
  Azure: { type: azure, base_url: "https://user:${SECRET}@host" }
  eu: { type: azure }
  nokey: { type: openai }
  words: { type: openai, api_key_env: TWO_WORDS }
  unset: { type: anthropic, api_key_env: NOT_SET }
  file: { type: anthropic, api_key_file: /nowhere }
  both: { type: openai, api_key_env: OPENAI_API_KEY, api_key: "${SECRET}", retries: 99, timeout: 5 }
  fake: { type: mock, base_url: "http://localhost:1" }
  heads: { type: openai, base_url: "http://localhost:1", headers: { Host: a, x-a: { env: NOT_SET }, x-b: 5 } }
  scalar: 5
models:
  fast:
    stratgy: fallback
    targets:
      - { provider: opnai, model: "", wieght: 2 }
      - { model: m }
  "two words": { targets: [] }
  gpt-4.1:
    fallback_on: [399, 6xx, model_timeot]
    targets: [{ provider: openai }, { provider: openai, weight: 1 }]
    max_output_tokens: 1.5
    created: yesterday
  embed: { kind: embeddings, targets: [{ provider: file }], fallback_on: [429] }
  balanced: { strategy: loadbalance, targets: [{ provider: openai, weight: 0 }] }
default_model: fats
`),
        [
          "provider: there is no such member; did you mean providers?",
          "providers.openai.api_kee_env: there is no such member; did you mean api_key_env?",
          'providers.openai.type: expected "openai" or "azure" or "anthropic" or "mock"',
          "providers.Azure.base_url: expected a URL such as http://localhost:11434/v1, without a password or a question mark",
          "providers.Azure: expected a name of at most 63 lower-case letters, digits, '.', '-' and '_', with a letter or a digit first",
          "providers.Azure.api_version: expected a version of the API such as 2024-10-21: type is azure",
          "providers.Azure: expected api_key_env, api_key_file or key: tenant_only",
          "providers.eu.base_url: expected the URL of the resource: type is azure",
          "providers.eu.api_version: expected a version of the API such as 2024-10-21: type is azure",
          "providers.eu: expected api_key_env, api_key_file or key: tenant_only",
          "providers.nokey: expected api_key_env, api_key_file or key: tenant_only",
          "providers.both.timeout: there is no such member",
          "providers.both.retries: expected a whole number of times, 0 to 10",
          "providers.both.api_key: expected nothing, because there is api_key_env",
          "providers.fake.base_url: expected nothing: type is mock",
          "providers.heads.headers.x-b: expected text or an object",
          "providers.heads.headers.Host: expected the name of a header in lower case that is not the program's own",
          "providers.scalar: expected an object",
          "models.fast.stratgy: there is no such member; did you mean strategy?",
          "models.fast.targets[0].wieght: there is no such member; did you mean weight?",
          "models.fast.targets[0].model: expected text with at least one visible character",
          "models.fast.targets[1].provider: expected a value, and there is none",
          "models.fast.strategy: expected fallback or loadbalance: there are several targets",
          "models.fast.targets[0].provider: expected the name of a provider of this file; did you mean openai?",
          'models["two words"].targets: expected at least one target',
          'models["two words"]: expected a name of at most 200 visible ASCII characters, without spaces',
          `models["gpt-4.1"].fallback_on[0]: expected a status such as 429, 4xx or 5xx, or a provider's failure such as model_timeout`,
          `models["gpt-4.1"].fallback_on[1]: expected a status such as 429, 4xx or 5xx, or a provider's failure such as model_timeout`,
          `models["gpt-4.1"].fallback_on[2]: expected a status such as 429, 4xx or 5xx, or a provider's failure such as model_timeout`,
          'models["gpt-4.1"].max_output_tokens: expected a whole number of tokens, 1 to 100000000',
          'models["gpt-4.1"].created: expected a day such as 2025-08-07',
          'models["gpt-4.1"].strategy: expected fallback or loadbalance: there are several targets',
          'models["gpt-4.1"].fallback_on: expected nothing: with the strategy single there is no other target',
          'models["gpt-4.1"].targets[1].weight: expected nothing: weights are for the strategy loadbalance',
          "models.embed.fallback_on: expected nothing: with the strategy single there is no other target",
          "models.embed.targets[0].provider: expected a provider that makes embeddings, which anthropic does not",
          "models.balanced.targets: expected a weight above 0 at one of them",
          "default_model: expected the name of a chat model of this file; did you mean fast?",
          "providers.words.api_key_env: expected a variable that is set, with a key of one line, without spaces",
          "providers.unset.api_key_env: expected a variable that is set, with a key of one line, without spaces",
          "providers.file.api_key_file: expected the path of a readable file with a key of one line, without spaces"
        ]
      )
    })
  )

  it.effect("says where it is not YAML or JSON, and quotes nothing", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* errors(`providers: {\n  a: [${SECRET}\n`), ["expected YAML (line 3, column 1)"])
      assert.deepStrictEqual(yield* errors(`{"providers": {"a": 1, "a": 2}}`, "p.json"), [
        "expected no name twice in one object (line 1, column 24)"
      ])
      assert.deepStrictEqual(yield* errors(""), ["expected an object"])
      assert.deepStrictEqual(yield* errors("[]"), ["expected an object"])
      assert.deepStrictEqual(yield* errors("providers: {}\nmodels: {}\n"), ["models: expected at least one model"])
    })
  )

  it.effect("may be JSON, and repeat parts by YAML's anchors", () =>
    Effect.gen(function* () {
      const json = '{"providers": {"m": {"type": "mock"}},\n\t"models": {"a": {"targets": [{"provider": "m"}]}}}'
      assert.strictEqual((yield* read(json, new Map(), "p.json")).configuration.defaultModel, "a")
      const yaml = "providers: {m: {type: mock}}\nmodels:\n  a: &a {targets: [{provider: m, model: x}]}\n  b: *a\n"
      assert.lengthOf((yield* read(yaml)).configuration.models, 2)
    })
  )

  it.effect("with a key of its own, or an unused provider, is used with a warning that has no key", () =>
    Effect.gen(function* () {
      const { warnings } = yield* read(
        `providers: {a: {type: openai, api_key: ${SECRET}}, b: {type: mock}}\nmodels: {m: {targets: [{provider: a}]}}`
      )
      assert.deepStrictEqual(warnings, [
        "providers.a.api_key has a key in the file itself: api_key_env or api_key_file keep it elsewhere",
        "providers.b is not used by any model"
      ])
    })
  )

  it.effect("has changed when its text has, or that of a file with a key", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const [path, key] = [`${directory}/p.yaml`, `${directory}/key`]
      const text = `providers: {a: {type: openai, api_key_file: ${key}}}\nmodels: {m: {targets: [{provider: a}]}}`
      const missing = yield* snapshot(path)
      assert.isUndefined(missing.text)
      yield* fs.writeFileString(path, text)
      const first = yield* snapshot(path)
      assert.isTrue(same(first, yield* snapshot(path)))
      assert.isFalse(same(first, missing))
      yield* fs.writeFileString(key, "one")
      const second = yield* snapshot(path)
      assert.isFalse(same(first, second))
      yield* fs.writeFileString(key, "two")
      assert.isFalse(same(second, yield* snapshot(path)))
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )

  it.effect("never fails otherwise than with errors, whatever it holds", () =>
    Effect.forEach(
      fc.sample(fc.jsonValue(), { numRuns: 300, seed: 3 }),
      (value) => Effect.flip(read(JSON.stringify({ providers: value, models: value }))),
      { discard: true }
    )
  )
})

describe("the documentation", () => {
  const text = readFileSync(new URL("../../../docs/providers.md", import.meta.url), "utf8")

  it.effect("shows a file that works", () =>
    Effect.gen(function* () {
      const [, example = ""] = /```yaml\n([^]*?)```/u.exec(text) ?? []
      const { configuration, warnings } = yield* load(
        "providers.yaml",
        { text: example, files: new Map([["/run/secrets/azure", "key"]]) },
        DEFAULTS,
        ConfigProvider.fromEnvRecord({ OPENAI_API_KEY: "a", ANTHROPIC_API_KEY: "b", GATEWAY_TOKEN: "c" })
      )
      assert.deepStrictEqual(warnings, [])
      assert.deepStrictEqual(
        configuration.models.map(({ alias, targets }) => [alias, targets.length]),
        [
          ["fast", 2],
          ["llama", 2],
          ["claude-sonnet", 1],
          ["text-embedding-3-small", 1]
        ]
      )
    })
  )

  it("names every member, and the failures of a fallback", () => {
    for (const { fields } of [ProviderEntry, ModelEntry, TargetEntry])
      for (const member of Object.keys(fields)) assert.include(text, `\`${member}\``)
    const row = text.split("\n").find((line) => line.startsWith("| `fallback_on`")) ?? ""
    for (const reason of FALLBACK_ON.reasons) assert.include(row, `\`${reason}\``)
  })
})

describe("the name that is meant", () => {
  it("is the closest one, if a slip of the hand is between", () => {
    const names = ["api_key_env", "api_key_file", "type", "retries"]
    for (const [given, right] of [
      ["apiKeyEnv", "api_key_env"],
      ["api_kye_env", "api_key_env"],
      ["tpye", "type"],
      ["typ", "type"],
      ["retry", undefined],
      ["retrys", "retries"],
      ["x", undefined]
    ] as const)
      assert.strictEqual(closest(given, names), right, given)
  })
})
