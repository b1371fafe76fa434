import { request } from "node:http"

/** Outcome of a request: unknown if it was cut before its answer. */
export type Outcome =
  | { readonly kind: "cut" }
  | { readonly kind: "answered"; readonly status: number; readonly text: string; readonly whole: boolean }

export interface Sent {
  readonly method: string
  readonly path: string
  readonly token?: string | undefined
  readonly body?: unknown
  readonly type?: string | undefined
}

/** Sends a request; its connection is destroyed after `after` ms, unless it was answered by then. Undefined: never. */
export const send = (port: number, { body, method, path, token, type }: Sent, after: number | undefined) =>
  new Promise<Outcome>((resolve) => {
    let cut = false
    const timer = setTimeout(() => {
      if (after === undefined) return
      cut = true
      sent.destroy()
    }, after)
    const done = (outcome: Outcome) => {
      clearTimeout(timer)
      resolve(outcome)
    }
    const sent = request({
      port,
      host: "127.0.0.1",
      method,
      path,
      agent: false,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": type ?? "application/json" })
      }
    })
    sent.once("error", (error) => {
      if (!cut) return done({ kind: "answered", status: 0, text: String(error), whole: false })
      done({ kind: "cut" })
    })
    sent.once("close", () => done({ kind: "cut" }))
    sent.once("response", (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (chunk: string) => (text += chunk))
      response.on("error", () => {})
      response.on("close", () => {
        if (cut && !response.complete) done({ kind: "cut" })
        else done({ kind: "answered", status: response.statusCode ?? 0, text, whole: response.complete })
      })
    })
    sent.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body))
  })

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export const chance = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
