// `npm run build:console`: the web console of packages/console as files for browsers, in packages/console/dist/console, with a brotli and a
// gzip form of each beside it. Also part of `npm start`, `npm run dev` and `npm run build`. Made anew when a source has changed.
import { createHash } from "node:crypto"
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { brotliCompressSync, constants, gzipSync } from "node:zlib"

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..")
const project = join(root, "packages/console")
const built = join(project, "dist/console")
/** The sources' hash that `built` was made of, and the modules in it. Beside it: what is in it is served. */
const stampFile = `${built}.stamp`
const modulesFile = `${built}.modules.json`

/** Bytes: smaller files are one packet in any form. */
const WORTH_COMPRESSING = 1000

/** The files that decide what the console is. */
export const consoleSources = () =>
  globSync(
    [
      "packages/console/{src/**/*,index.html,package.json,vite.config.ts}",
      "packages/client/src/plain/*",
      "scripts/console.mjs",
      "pnpm-lock.yaml"
    ],
    { cwd: root, withFileTypes: true }
  )
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name))
    .sort()

/** Builds the console unless it is there already. Returns its directory. */
export async function buildConsole() {
  const hash = createHash("sha256")
  for (const file of consoleSources())
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update("\0")
  const stamp = hash.digest("hex")
  const isCurrent = () => existsSync(built) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp
  if (isCurrent()) return built
  const { build } = await import("vite")
  const made = `${built}.${process.pid}`
  rmSync(made, { recursive: true, force: true })
  mkdirSync(dirname(built), { recursive: true })
  const { output } = await build({ root: project, logLevel: "error", build: { outDir: made } })
  const modules = output.flatMap((chunk) => (chunk.type === "chunk" ? chunk.moduleIds : []))
  for (const file of globSync("assets/*.{js,css,svg}", { cwd: made })) compress(join(made, file))
  // Another process may have made the same meanwhile, and a server may be reading it.
  while (!isCurrent())
    try {
      rmSync(stampFile, { force: true })
      rmSync(built, { recursive: true, force: true })
      renameSync(made, built)
      writeFileSync(modulesFile, JSON.stringify(modules))
      writeFileSync(stampFile, stamp)
    } catch (error) {
      // It put its own there in this very moment, and is about to say so.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error
    }
  rmSync(made, { recursive: true, force: true })
  return built
}

/** The files that the built console was made of, those of packages too. */
export const consoleModules = () => JSON.parse(readFileSync(modulesFile, "utf8"))

function compress(file) {
  const content = readFileSync(file)
  if (content.length < WORTH_COMPRESSING) return
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = constants
  const params = { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_SIZE_HINT]: content.length }
  writeFileSync(`${file}.br`, brotliCompressSync(content, { params }))
  writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }))
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(relative(process.cwd(), await buildConsole()) || ".")
