// Where the console and the server are: the server may be behind a path of a proxy.

/** The console's own path, with slashes around it, such as `/console/`. Chunks lie in `assets/` below it. */
export const CONSOLE_PATH = import.meta.env.DEV
  ? "/console/"
  : new URL(/* @vite-ignore */ "../", import.meta.url).pathname

/** The server's address, of which the console is a part, without a slash at its end. */
export const SERVER_URL = new URL("..", new URL(CONSOLE_PATH, location.origin)).href.replace(/\/$/u, "")
