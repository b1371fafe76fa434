import { assert, it } from "@effect/vitest"
import { formatOf } from "../../src/sse/Streaming.ts"

it("the format is what the query says, else what Accept asks of event streams, else text", () => {
  const cases = [
    ["json", undefined, "json"],
    ["text", "text/event-stream;format=json", "text"],
    [undefined, undefined, "text"],
    [undefined, "*/*", "text"],
    [undefined, "text/event-stream", "text"],
    [undefined, "application/json", "text"],
    [undefined, "application/json;format=json", "text"],
    [undefined, "text/event-stream;format=json", "json"],
    [undefined, 'Text/Event-Stream ; charset=utf-8; FORMAT="json" ;q=0.9', "json"],
    [undefined, "text/html, text/event-stream;format=json;q=1, */*", "json"],
    [undefined, "text/event-stream;format=jsonl", "text"],
    [undefined, "text/event-stream, text/html;format=json", "text"]
  ] as const
  for (const [query, accept, format] of cases) assert.strictEqual(formatOf(query, accept), format, accept)
})
