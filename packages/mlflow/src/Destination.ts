/** The destination of records, from `MLFLOW_TRACKING_URI`. */
export type Destination =
  | { readonly kind: "off" }
  /** Without a trailing slash. */
  | { readonly kind: "http"; readonly url: string }
  /** A directory in the layout of MLflow's file store, for runs only. */
  | { readonly kind: "files"; readonly directory: string }

/**
 * Reads `off`, `http://…`, `https://…` or `file:…`. Undefined: none of these. A password is refused, because the address gets into logs.
 * Databases and cloud workspaces, which MLflow's own clients also accept, are not supported: they need other protocols.
 */
export const destinationOf = (text: string): Destination | undefined => {
  if (text.toLowerCase() === "off") return { kind: "off" }
  if (/^file:/iu.test(text)) {
    const path = text.slice("file:".length)
    // file:///srv/mlruns and file:/srv/mlruns are the same; file://host/… names another machine.
    const directory = path.startsWith("///") ? path.slice(2) : path
    return directory === "" || directory.startsWith("//") ? undefined : { kind: "files", directory }
  }
  const url = /^https?:\/\//iu.test(text) ? URL.parse(text) : null
  if (url === null || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    return undefined
  return { kind: "http", url: url.href.replace(/(?<!\/)\/+$/u, "") }
}
