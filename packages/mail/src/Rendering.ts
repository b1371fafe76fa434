import type { MailContent } from "@llm-saas/domain/Mail"
import { Redacted } from "effect"
import { type MailFrame, wordsOf } from "./Templates.ts"

/** A mail's words as they are sent. */
export interface Rendered {
  readonly subject: string
  readonly text: Redacted.Redacted
  readonly html: Redacted.Redacted
}

/**
 * A mail as text and as HTML. The token is in the link's fragment, which browsers send to no server: it is in no log and no `Referer`.
 */
export const render = (content: MailContent, frame: MailFrame): Rendered => {
  const { product, publicUrl, token } = frame
  const { after, before, link, subject } = wordsOf(content, frame)
  const url =
    link === undefined || token === undefined
      ? undefined
      : `${publicUrl}${link.path}#token=${Redacted.value(token.text)}`
  const closing = after.filter((line) => line !== "")
  const text = [
    ...before,
    ...(url === undefined ? [] : [`${link?.label ?? ""}:\n${url}`]),
    ...closing,
    `-- \n${product}`
  ]
  const paragraphs = [
    ...before.map(paragraph),
    ...(url === undefined ? [] : [`<p><a href="${escape(url)}">${escape(link?.label ?? "")}</a></p>`, paragraph(url)]),
    ...closing.map(paragraph)
  ]
  return {
    subject,
    text: Redacted.make(`${text.join("\n\n")}\n`),
    html: Redacted.make(
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escape(subject)}</title></head><body>${paragraphs.join("")}<p>${escape(product)}</p></body></html>`
    )
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

const escape = (text: string): string => text.replace(/[&<>"']/gu, (each) => ENTITIES[each] ?? "")

const paragraph = (line: string): string => `<p>${escape(line)}</p>`
