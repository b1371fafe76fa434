import { assert, describe, it } from "@effect/vitest"
import { DROPPED } from "@llm-saas/dialects/anthropic/Dropped"
import { errorTypeOf } from "@llm-saas/dialects/anthropic/Errors"
import { decodeMessages } from "@llm-saas/dialects/anthropic/MessagesRequest"
import { finishOf } from "@llm-saas/dialects/anthropic/StopReasons"
import type { JsonObject } from "@llm-saas/domain/Json"
import { readFileSync } from "node:fs"

const PAGE = readFileSync(new URL("../../../../docs/compatibility.md", import.meta.url), "utf8")

/** The rows of the table below a heading: the words in code in the first column, and the second column. */
const rows = (heading: string): ReadonlyArray<readonly [ReadonlyArray<string>, string]> => {
  const [, below = ""] = PAGE.split(`${heading}\n`)
  const [section = ""] = below.split(/^#/mu)
  return section
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(1)
    .map((line) => {
      const [, first = "", second = ""] = line.split("|")
      return [[...first.matchAll(/`([^`]+)`/gu)].map(([, word]) => word ?? ""), second.trim()]
    })
}

const asked = (body: JsonObject = {}, block: JsonObject = {}, call: JsonObject = {}): JsonObject => ({
  model: "m",
  max_tokens: 10,
  messages: [
    {
      role: "user",
      content: [
        { type: "text", text: "Hi", ...block },
        { type: "document", source: { type: "text", data: "words" }, ...block }
      ]
    },
    { role: "assistant", content: [{ type: "tool_use", id: "t", name: "look", input: {}, ...call }] }
  ],
  ...body
})

/** A request with each member of Anthropic's own. */
const OWN: Readonly<Record<string, JsonObject>> = {
  cache_control: asked({ cache_control: { type: "ephemeral" } }, { cache_control: { type: "ephemeral" } }),
  metadata: asked({ metadata: { user_id: "u" } }),
  container: asked({ container: "c" }),
  context_management: asked({ context_management: { edits: [] } }),
  mcp_servers: asked({ mcp_servers: [] }),
  service_tier: asked({ service_tier: "auto" }),
  inference_geo: asked({ inference_geo: "eu" }),
  citations: asked({}, { citations: { enabled: true } }),
  title: asked({}, { title: "t" }),
  context: asked({}, { context: "c" }),
  caller: asked({}, {}, { caller: { type: "direct" } })
}

describe("docs/compatibility.md", () => {
  it("names everything that a translation into Anthropic's dialect drops, and nothing else", () => {
    const named = rows("### What an Anthropic provider does not get of another request").map(([[name]]) => name)
    assert.deepStrictEqual(named, [...DROPPED])
  })

  it("names what a translation of Anthropic's dialect drops", () => {
    const named = rows("### What another provider does not get of a Messages request").map(([[name]]) => name ?? "")
    assert.deepStrictEqual(named, Object.keys(OWN))
    const read = (body: JsonObject) => {
      const decoded = decodeMessages(body)
      return decoded.type === "request"
        ? { ...decoded.request, origin: undefined }
        : assert.fail(decoded.mistake.message)
    }
    for (const name of named) assert.deepStrictEqual(read(OWN[name] ?? {}), read(asked()), name)
  })

  it("says what each stop reason is", () => {
    const table = rows("### Answers")
    assert.isAbove(table.length, 3)
    for (const [reasons, ours] of table)
      for (const reason of reasons) assert.strictEqual(`\`${finishOf(reason)}\``, ours)
  })

  it("says which status has which type of error", () => {
    const [, line = ""] = /^\| errors \|(.*)\|$/mu.exec(PAGE) ?? []
    const named = [...line.matchAll(/`(\w+)` \(([\d, ]+)\)/gu)]
    assert.isAbove(named.length, 8)
    for (const [, type, statuses = ""] of named)
      for (const status of statuses.split(", "))
        assert.strictEqual(errorTypeOf({ status: Number(status), code: "", message: "", requestId: "" }), type)
  })
})
