import type { ModelRequest } from "@llm-saas/domain/ModelRequest"

/** One turn of a prompt. */
export interface Turn {
  readonly role: "user" | "assistant" | "system"
  readonly content: string
}

/** A request as texts alone: earlier turns first, the question last. */
export type Prompt = ReadonlyArray<Turn>

/** The texts of a request. */
export const textsOf = ({ input }: ModelRequest): Prompt =>
  input.flatMap((item) =>
    item.type === "message"
      ? [
          {
            role: item.role === "developer" ? "system" : item.role,
            content: item.parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n")
          }
        ]
      : []
  )
