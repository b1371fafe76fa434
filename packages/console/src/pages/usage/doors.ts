/** Which API was called, in words. */
const DOORS: Readonly<Record<string, string>> = {
  messages: "Messages",
  "messages.stream": "Messages, streamed",
  rpc: "RPC",
  "chat.completions": "Chat completions",
  responses: "Responses",
  "anthropic.messages": "Anthropic messages",
  embeddings: "Embeddings",
  correction: "Correction by the operator"
}

/** A door in words; one that is not known here as it is. */
export const doorName = (door: string): string => DOORS[door] ?? door
