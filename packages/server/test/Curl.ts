/** The request of a documented curl line. Supports the few options that ours use, and refuses others. */
export const curl = (line: string) => {
  const words = [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/gu)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? ""
  )
  const headers: Record<string, string> = {}
  let method: string | undefined
  let body: string | undefined
  let url: URL | undefined
  for (let index = 1; index < words.length; index++) {
    const word = words[index] ?? ""
    const value = () => words[++index] ?? ""
    if (word === "-X") method = value()
    else if (word === "-d") body = value()
    else if (word === "-H") {
      const [name = "", ...rest] = value().split(": ")
      headers[name.toLowerCase()] = rest.join(": ")
    } else if (word === "--max-time") value()
    else if (word.startsWith("http://localhost:8000/")) url = new URL(word)
    else if (word !== "-N" && word !== "-s") throw new Error(`what is ${word} in ${line}?`)
  }
  if (url === undefined) throw new Error(`no address in ${line}`)
  // curl's own default for -d.
  if (body !== undefined) headers["content-type"] ??= "application/x-www-form-urlencoded"
  return {
    method: method ?? (body === undefined ? "GET" : "POST"),
    path: `${url.pathname}${url.search}`,
    headers,
    body
  }
}
