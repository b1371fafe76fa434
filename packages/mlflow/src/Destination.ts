/** Where records go, as `MLFLOW_TRACKING_URI` names it. */
export type Destination =
  | { readonly kind: "off" }
  /** Without a slash at its end. */
  | { readonly kind: "http"; readonly url: string }
  /** A directory as MLflow's own file store lays it out, for runs alone. */
  | { readonly kind: "files"; readonly directory: string }

/**
 * Reads `off`, `http://…`, `https://…` or `file:…`. Undefined: none of these. A password has no place in it, since it ends up in logs;
 * a database or a workspace of somebody's cloud, which MLflow's own clients also take, would have to be spoken to in its own tongue.
 */
export const destinationOf = (text: string): Destination | undefined => {
  if (text.toLowerCase() === "off") return { kind: "off" }
  if (/^file:/iu.test(text)) {
    const path = text.slice("file:".length)
    // file:///srv/mlruns and file:/srv/mlruns are the same; file://host/… is on another machine.
    const directory = path.startsWith("///") ? path.slice(2) : path
    return directory === "" || directory.startsWith("//") ? undefined : { kind: "files", directory }
  }
  const url = /^https?:\/\//iu.test(text) ? URL.parse(text) : null
  if (url === null || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    return undefined
  return { kind: "http", url: url.href.replace(/(?<!\/)\/+$/u, "") }
}
