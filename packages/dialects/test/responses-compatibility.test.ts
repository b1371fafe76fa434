import { assert, it } from "@effect/vitest"
import { decodeResponses } from "@llm-saas/dialects/responses/ResponsesRequest"
import type { Json, JsonObject } from "@llm-saas/domain/Json"
import { readFileSync } from "node:fs"

const PAGE = readFileSync(new URL("../../../docs/compatibility.md", import.meta.url), "utf8")

/** Members of a request that other dialects have no words for. */
const OWN: Readonly<Record<string, Json>> = {
  max_tool_calls: 3,
  metadata: { a: "b" },
  moderation: "auto",
  prompt_cache_key: "k",
  prompt_cache_retention: "24h",
  safety_identifier: "s",
  service_tier: "flex",
  stream_options: { include_obfuscation: false },
  top_logprobs: 2,
  truncation: "auto",
  user: "u",
  context_management: []
}

const read = (body: JsonObject) => {
  const decoded = decodeResponses({ model: "m", input: "Hello?", ...body })
  return decoded.type === "request" ? { ...decoded.request, origin: undefined } : assert.fail(JSON.stringify(decoded))
}

it("docs/compatibility.md names what a translation of Responses drops", () => {
  const [, below = ""] = PAGE.split("### What another provider does not get of a Responses request\n")
  const [section = ""] = below.split(/^#/mu)
  const named = [...section.matchAll(/^\| `([^`]+)`/gmu)].map(([, name]) => name ?? "")
  assert.deepStrictEqual(named, Object.keys(OWN))
  for (const name of named) assert.deepStrictEqual(read({ [name]: OWN[name] }), read({}), name)
})
