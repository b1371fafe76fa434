import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import type { Tool, ToolChoice } from "@llm-saas/domain/ModelRequest"
import type { RequestFields } from "../RequestFields.ts"

/** `tools` and the older `functions`; undefined if there are none. */
export const toolsOf = (body: RequestFields): ReadonlyArray<Tool> | undefined => {
  const tools = [...body.objects("tools").map(toolOf), ...body.objects("functions").map(functionOf)]
  return tools.length === 0 ? undefined : tools
}

const toolOf = (tool: RequestFields): Tool => {
  const type = tool.needed("type")
  if (type === "function") {
    const called = tool.fields("function")
    if (called !== undefined) return functionOf(called)
    tool.mistakes.add(tool.path("function"), `\`${tool.path("function")}\` is missing.`)
  }
  const custom = type === "custom" ? tool.fields("custom") : undefined
  if (custom === undefined) return { type: "foreign", dialect: "chat", value: tool.object }
  const description = custom.text("description")
  const format = custom.value("format")
  return {
    type: "custom",
    name: custom.needed("name"),
    ...(description === undefined ? {} : { description }),
    ...(format === undefined ? {} : { format })
  }
}

const functionOf = (called: RequestFields): Tool => {
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

/** `tool_choice`, or the older `function_call`. */
export const toolChoiceOf = (body: RequestFields): ToolChoice | undefined => {
  const choice = body.value("tool_choice") ?? body.value("function_call")
  if (choice === undefined) return undefined
  if (typeof choice === "string") return wordOf(choice)
  const path = body.path(body.has("tool_choice") ? "tool_choice" : "function_call")
  if (!isJsonObject(choice)) return body.mistakes.add(path, `\`${path}\` must be a string or an object.`)
  return namedOf(choice)
}

const wordOf = (word: string): ToolChoice => {
  switch (word) {
    case "auto":
    case "none":
    case "required":
      return { type: word }
    // Mistral's word.
    case "any":
      return { type: "required" }
    default:
      return { type: "foreign", dialect: "chat", value: word }
  }
}

const namedOf = (choice: JsonObject): ToolChoice => {
  const { custom, function: called, name, type } = choice
  if (type === "custom" && isJsonObject(custom) && typeof custom["name"] === "string")
    return { type: "tool", name: custom["name"], custom: true }
  if (isJsonObject(called) && typeof called["name"] === "string") return { type: "tool", name: called["name"] }
  if (type === undefined && typeof name === "string") return { type: "tool", name }
  return { type: "foreign", dialect: "chat", value: choice }
}

/** A tool in the words of Chat Completions; undefined where it has none. */
export const chatToolOf = (tool: Tool): Json | undefined => {
  switch (tool.type) {
    case "function": {
      const { description, name, parameters, strict } = tool
      return { type: "function", function: { name, ...known({ description, parameters, strict }) } }
    }
    case "custom": {
      const { description, format, name } = tool
      return { type: "custom", custom: { name, ...known({ description, format }) } }
    }
    case "foreign":
      return tool.dialect === "chat" ? tool.value : undefined
  }
}

export const chatToolChoiceOf = (choice: ToolChoice): Json | undefined => {
  switch (choice.type) {
    case "auto":
    case "none":
    case "required":
      return choice.type
    case "tool":
      return choice.custom === true
        ? { type: "custom", custom: { name: choice.name } }
        : { type: "function", function: { name: choice.name } }
    case "foreign":
      return choice.dialect === "chat" ? choice.value : undefined
  }
}

/** Without the members that are undefined. */
export const known = (members: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
