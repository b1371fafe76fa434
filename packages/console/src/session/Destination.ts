// Where the console goes on after a login. What says so is in the address, which anybody can write into a link.

/** A page that leads on after a login would do so around in a circle. */
const ENTRANCE = /^\/(?:login|register)\/?$/u

/**
 * A path of the console below its own, such as `/chat?x=1`, for what `to` says; `/` for anything else. `place` is the console's address, with a
 * slash at its end. What counts is how the browser reads it, so that `//`, `/\`, a tab or `..` lead nowhere else.
 */
export const destinationOf = (to: string | undefined, place: URL): string => {
  if (to === undefined || !to.startsWith("/")) return "/"
  const url = URL.parse(`.${to}`, place)
  if (url === null || url.origin !== place.origin || !url.pathname.startsWith(place.pathname)) return "/"
  const path = url.pathname.slice(place.pathname.length - 1)
  return path.startsWith("//") || ENTRANCE.test(path) ? "/" : path + url.search + url.hash
}
