import { assert, describe, it } from "@effect/vitest"
import { chatError } from "@llm-saas/dialects/chat/ChatErrors"
import { decodeChat } from "@llm-saas/dialects/chat/ChatRequest"
import { DROPPED } from "@llm-saas/dialects/chat/Dropped"
import type { Json, JsonObject } from "@llm-saas/domain/Json"
import { readFileSync } from "node:fs"

const PAGE = readFileSync(new URL("../../../docs/compatibility.md", import.meta.url), "utf8")

/** The first word in code of each row of the table below a heading. */
const rows = (heading: string): ReadonlyArray<string> => {
  const [, below = ""] = PAGE.split(`${heading}\n`)
  const [section = ""] = below.split(/^#/mu)
  return section
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => /`([^`]+)`/u.exec(line)?.[1] ?? "")
}

/** Members of a request that other dialects have no words for. */
const OWN: Readonly<Record<string, Json>> = {
  logit_bias: { "1": 1 },
  metadata: { a: "b" },
  modalities: ["text", "audio"],
  audio: { voice: "alloy", format: "wav" },
  moderation: "auto",
  prediction: { type: "content", content: "x" },
  prompt_cache_key: "k",
  prompt_cache_retention: "24h",
  safety_identifier: "s",
  service_tier: "flex",
  store: true,
  user: "u",
  verbosity: "low",
  web_search_options: {}
}

const ASKED: JsonObject = { model: "m", messages: [{ role: "user", content: "Hello?" }] }

describe("docs/compatibility.md", () => {
  it("names everything that a translation into Chat Completions drops, and nothing else", () => {
    assert.deepStrictEqual(rows("### What an OpenAI-like provider does not get of another request"), [...DROPPED])
  })

  it("names what a translation of Chat Completions drops", () => {
    const named = rows("### What another provider does not get of a Chat Completions request")
    assert.deepStrictEqual(named, Object.keys(OWN))
    const read = (body: JsonObject) => {
      const decoded = decodeChat(body)
      return decoded.type === "request"
        ? { ...decoded.request, origin: undefined }
        : assert.fail(JSON.stringify(decoded))
    }
    for (const name of named) assert.deepStrictEqual(read({ ...ASKED, [name]: OWN[name] }), read(ASKED), name)
  })

  it("says which status has which type of error", () => {
    const [, section = ""] = PAGE.split("## Chat Completions\n")
    const [, line = ""] = /^\| types of errors \|(.*)\|$/mu.exec(section) ?? []
    const named = [...line.matchAll(/`(\w+)` \(([\d, ]+)\)/gu)]
    assert.isAbove(named.length, 6)
    for (const [, type, statuses = ""] of named)
      for (const status of statuses.split(", "))
        assert.deepInclude(chatError({ status: Number(status), code: "", message: "", requestId: "" })["error"], {
          type
        })
  })
})
