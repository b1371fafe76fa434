import { isJsonObject, type Json } from "@llm-saas/domain/Json"
import type { Tool, ToolChoice } from "@llm-saas/domain/ModelRequest"
import { known } from "../chat/ChatTools.ts"
import type { RequestFields } from "../RequestFields.ts"

/** The tools; undefined if there are none. Tools of the provider, such as `web_search`, are `foreign`. */
export const toolsOf = (body: RequestFields): ReadonlyArray<Tool> | undefined => {
  const tools = body.objects("tools").map(toolOf)
  return tools.length === 0 ? undefined : tools
}

const toolOf = (tool: RequestFields): Tool => {
  switch (tool.needed("type")) {
    case "function": {
      // Some clients send the form of Chat Completions, where the function is one level deeper.
      const called = tool.has("name") ? tool : (tool.fields("function") ?? tool)
      const description = called.text("description")
      const parameters = called.fields("parameters")?.object
      const strict = called.flag("strict")
      return {
        type: "function",
        name: called.needed("name"),
        ...(description === undefined ? {} : { description }),
        ...(parameters === undefined ? {} : { parameters }),
        ...(strict === undefined ? {} : { strict })
      }
    }
    case "custom": {
      const description = tool.text("description")
      const format = tool.value("format")
      return {
        type: "custom",
        name: tool.needed("name"),
        ...(description === undefined ? {} : { description }),
        ...(format === undefined ? {} : { format: canonicalFormat(format) })
      }
    }
    default:
      return { type: "foreign", dialect: "responses", value: tool.object }
  }
}

/** A grammar is one level deeper in Chat Completions, whose form is the canonical one. */
const canonicalFormat = (format: Json): Json => {
  if (!isJsonObject(format) || format["type"] !== "grammar" || isJsonObject(format["grammar"])) return format
  const { type, ...grammar } = format
  return { type, grammar }
}

const responsesFormat = (format: Json): Json => {
  if (!isJsonObject(format) || format["type"] !== "grammar" || !isJsonObject(format["grammar"])) return format
  return { type: "grammar", ...format["grammar"] }
}

export const toolChoiceOf = (body: RequestFields): ToolChoice | undefined => {
  const choice = body.value("tool_choice")
  switch (choice) {
    case undefined:
      return undefined
    case "auto":
    case "none":
    case "required":
      return { type: choice }
  }
  const path = body.path("tool_choice")
  if (typeof choice !== "string" && !isJsonObject(choice))
    return body.mistakes.add(path, `\`${path}\` must be a string or an object.`)
  const { name, type } = typeof choice === "string" ? {} : choice
  if (typeof name === "string" && (type === "function" || type === "custom"))
    return { type: "tool", name, ...(type === "custom" ? { custom: true } : {}) }
  return { type: "foreign", dialect: "responses", value: choice }
}

/** A tool in the words of Responses; undefined where it has none. */
export const responsesToolOf = (tool: Tool): Json | undefined => {
  switch (tool.type) {
    case "function": {
      const { description, name, parameters, strict } = tool
      // Without `strict: false` a schema that is not strict would be refused: both members are needed here.
      return {
        type: "function",
        name,
        ...known({ description }),
        parameters: parameters ?? null,
        strict: strict ?? false
      }
    }
    case "custom": {
      const { description, format, name } = tool
      return {
        type: "custom",
        name,
        ...known({ description, format: format === undefined ? undefined : responsesFormat(format) })
      }
    }
    case "foreign":
      return tool.dialect === "responses" ? tool.value : undefined
  }
}

export const responsesToolChoiceOf = (choice: ToolChoice): Json | undefined => {
  switch (choice.type) {
    case "auto":
    case "none":
    case "required":
      return choice.type
    case "tool":
      return { type: choice.custom === true ? "custom" : "function", name: choice.name }
    case "foreign":
      return choice.dialect === "responses" ? choice.value : undefined
  }
}
