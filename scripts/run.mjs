#!/usr/bin/env node
// `npm start`, `npm test` and the others, in a fresh clone: runs on any Node >= 18 with npm and uses no dependency.
//   1. a Node >= 24: the running one, or the copy that tools/node24/package-lock.json pins
//   2. the packages of pnpm-lock.yaml, when something that decides node_modules has changed
//   3. the command itself
// Longer than other files: its steps share what the first one finds, the Node and the environment.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { homedir, tmpdir } from "node:os"
import { delimiter, dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { followParents, isAlive, runAll } from "./processes.mjs"

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..")
const windows = process.platform === "win32"
const MIN_NODE = 24
/** Bundles of earlier sources that are kept. */
const KEPT = 3

const modules = (path) => join(root, "node_modules", path)
const tsc = {
  title: "type check",
  args: [modules("typescript/bin/tsc"), "-b", `--pretty`, String(Boolean(process.stderr.isTTY))]
}
const effect = {
  title: "effect diagnostics",
  args: [
    modules("@effect/tsgo/dist/effect-tsgo.cjs"),
    "diagnostics",
    "--project=tsconfig.effect.json",
    "--severity=error,warning",
    "--strict"
  ]
}
const oxlint = { title: "lint", args: [modules("oxlint/bin/oxlint")] }
const oxfmt = { title: "format", args: [modules("oxfmt/bin/oxfmt"), "--check"] }
const vitest = { args: [modules("vitest/vitest.mjs"), "run", "--config", "vitest.workspace.ts"] }

// Each command is a list of stages; the parts of a stage run in parallel.
const COMMANDS = {
  start: (args) => [[{ args: [bundled("main"), ...args] }]],
  dev: (args) => [[{ args: ["scripts/console.mjs"] }], [{ args: ["scripts/dev.mjs", ...args] }]],
  "dev:console": (args) => [[{ args: [modules("vite/bin/vite.js"), "packages/console", ...args] }]],
  "example:chat": (args) => [[{ args: ["examples/chat.ts", ...args] }]],
  "example:page": (args) => [[{ args: ["examples/page.ts", ...args] }]],
  test: (args) => [[tsc, effect, oxlint, oxfmt], [{ ...vitest, args: [...vitest.args, ...args] }]],
  check: () => [[tsc, effect]],
  lint: () => [[oxlint, oxfmt]],
  format: () => [[{ args: [...oxlint.args, "--fix"] }], [{ args: [modules("oxfmt/bin/oxfmt")] }]],
  openapi: () => [[{ args: ["scripts/openapi.mjs"] }]],
  "build:client": (args) => [[{ args: ["scripts/client.mjs", ...args] }]],
  "build:console": (args) => [[{ args: ["scripts/console.mjs", ...args] }]],
  build: (args) => [[{ args: ["scripts/build.mjs", ...args] }]],
  bench: (args) => [[{ args: ["packages/server/bench/main.ts", ...args] }]],
  ...Object.fromEntries(
    [
      "db:migrate",
      "db:status",
      "db:new",
      "db:rollback",
      "db:backup",
      "db:restore",
      "db:psql",
      "db:schema",
      "keys:rotate",
      "ledger:check",
      "audit:isolation",
      "audit:grant",
      "audit:revoke",
      "operator"
    ].map((name) => [name, (args) => [[{ args: ["packages/server/src/cli.ts", name, ...args] }]]])
  )
}

const [name, ...rest] = process.argv.slice(2)
const command = Object.hasOwn(COMMANDS, name ?? "") ? COMMANDS[name] : undefined
if (!command) fail(`usage: npm run <${Object.keys(COMMANDS).join("|")}>`)

const npmEnv = { ...process.env }
// A HOME that cannot be written (CI containers): npm and pnpm keep their caches beside the packages.
if (!writable(homedir())) {
  const home = modules(".home")
  mkdirSync(home, { recursive: true })
  Object.assign(npmEnv, { HOME: home, npm_config_cache: join(home, ".npm") })
}

const node = findNode()
const env = programEnvironment()
install()
if (name === "db:new" && rest.includes("--from-diff")) installTool("schema-diff")
process.exitCode = await runAll(node, command(rest), { cwd: root, env, stopWhen: followParents })

function findNode() {
  if (Number(process.versions.node.split(".")[0]) >= MIN_NODE) return process.execPath
  const directory = join(root, "tools", "node24")
  const find = () => {
    const packages = join(directory, "node_modules")
    if (!existsSync(packages)) return undefined
    return readdirSync(packages)
      .filter((each) => each.startsWith("node-"))
      .map((each) => join(packages, each, "bin", windows ? "node.exe" : "node"))
      .find((file) => existsSync(file) && spawnSync(file, ["-v"]).status === 0)
  }
  const present = find()
  if (present) return present
  say(`Node ${process.versions.node} is older than ${MIN_NODE}: fetching a newer one for this directory (once) …`)
  const fetched = withLock(directory, () => {
    const there = find()
    if (there) return there
    npm("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], directory, process.execPath)
    return find()
  })
  return (
    fetched
    ?? fail(
      `No Node ${MIN_NODE} could be fetched for ${process.platform}-${process.arch}. Install Node ${MIN_NODE} or newer and run this again.`
    )
  )
}

/** Tools of few commands are installed when one of them is run. */
function installTool(tool) {
  const directory = join(root, "tools", tool)
  if (existsSync(join(directory, "node_modules"))) return
  say(`Installing tools/${tool} (once) …`)
  withLock(directory, () => {
    if (existsSync(join(directory, "node_modules"))) return
    npm("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], directory, node)
  })
}

function install() {
  const stampFile = modules(".installed")
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  const stamp = () => {
    const hash = createHash("sha256").update(`${manifest.packageManager} ${process.platform} ${process.arch}`)
    const manifests = readdirSync(join(root, "packages"))
      .sort()
      .map((each) => `packages/${each}/package.json`)
    for (const file of ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", ...manifests]) {
      if (existsSync(join(root, file))) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)))
    }
    return hash.digest("hex")
  }
  const current = () => existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp()
  if (current()) return
  say("Installing packages (once) …")
  withLock(root, () => {
    if (current()) return
    // The lockfile was made by us and is in git: its hashes are checked, a look at the registry for every entry is not needed.
    npm(
      "npx",
      [
        "--yes",
        manifest.packageManager.split("+")[0],
        "install",
        "--frozen-lockfile",
        "--trust-lockfile",
        "--reporter=append-only"
      ],
      root,
      node
    )
    writeFileSync(stampFile, stamp())
  })
}

/** npm or npx: the one that started us where there is one (no shell, no .cmd), else that of PATH. Quiet unless it fails. */
function npm(tool, args, cwd, withNode) {
  const cli = process.env.npm_execpath
  const known = cli && cli.endsWith("npm-cli.js") && existsSync(cli)
  const [program, first] = known
    ? [process.execPath, [tool === "npx" ? join(dirname(cli), "npx-cli.js") : cli]]
    : [tool, []]
  const done = spawnSync(program, [...first, ...args], {
    cwd,
    env: { ...clean(npmEnv), PATH: dirname(withNode) + delimiter + (process.env.PATH ?? process.env.Path ?? "") },
    shell: !known && windows,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 1e9
  })
  if (done.status === 0) return
  process.stderr.write(`${done.stdout ?? ""}${done.stderr ?? ""}`)
  fail(`${tool} ${args.slice(0, 3).join(" ")} did not work${done.error ? `: ${done.error.message}` : " (see above)"}.`)
}

/** Two first runs at once (`npm start` and `npm test`): the second waits. The lock of a dead process does not count. */
function withLock(directory, work) {
  // Not inside node_modules, which `npm ci` deletes.
  const lock = join(tmpdir(), `llm-saas-install-${createHash("sha256").update(directory).digest("hex").slice(0, 12)}`)
  const owner = join(lock, "pid")
  for (;;) {
    try {
      mkdirSync(lock)
      writeFileSync(owner, String(process.pid))
      break
    } catch (error) {
      if (error.code !== "EEXIST") throw error
      const pid = existsSync(owner) ? Number(readFileSync(owner, "utf8")) : undefined
      if (pid !== undefined && !isAlive(pid)) rmSync(lock, { recursive: true, force: true })
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    }
  }
  try {
    return work()
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

/** What npm adds to the environment is about npm; the program gets what the user said. */
function clean(environment) {
  const kept = /^npm_config_(registry|cafile|cache|https?_proxy|proxy|noproxy|userconfig|globalconfig|prefix)$/i
  return Object.fromEntries(
    Object.entries(environment).filter(([key]) => !/^(npm_|PNPM_SCRIPT_SRC_DIR$)/i.test(key) || kept.test(key))
  )
}

function programEnvironment() {
  const cleaned = clean(process.env)
  delete cleaned.Path
  // Node keeps what it compiled: the second start takes half the time (0.85 s of CPU become 0.5) and 20 MB less.
  return {
    NODE_COMPILE_CACHE: modules(".cache/node"),
    ...cleaned,
    PATH: dirname(node) + delimiter + (process.env.PATH ?? process.env.Path ?? "")
  }
}

/**
 * A program of the server as one file, made anew when a source has changed: loading hundreds of them and stripping their types takes
 * three quarters of a start's time. The source itself where it cannot be made.
 */
function bundled(program) {
  const source = `packages/server/src/${program}.ts`
  // Not a package's whole directory: Node's recursive reading follows the links in its node_modules.
  const packages = readdirSync(join(root, "packages")).map((each) => join(root, "packages", each, "src"))
  const sources = [...packages, join(root, "sql")]
    .filter((directory) => existsSync(directory))
    .flatMap((directory) => readdirSync(directory, { recursive: true }).map((file) => join(directory, file)))
    .filter((file) => /\.(?:tsx?|css|sql)$/.test(file))
  const hash = createHash("sha256").update(existsSync(modules(".installed")) ? readFileSync(modules(".installed")) : "")
  const others = [
    "scripts/bundle.mjs",
    "scripts/console.mjs",
    "packages/console/index.html",
    "packages/console/vite.config.ts"
  ]
  for (const file of [...sources.sort(), ...others.map((each) => join(root, each))]) {
    const { mtimeMs, size } = statSync(file)
    hash.update(`${file}\0${mtimeMs}\0${size}\n`)
  }
  // Where the packages of the embedded PostgreSQL are found.
  const cache = join(root, "packages/embedded-postgres/node_modules/.cache/llm-saas")
  const directory = join(cache, hash.digest("hex").slice(0, 16))
  const file = join(directory, `${program}.js`)
  if (existsSync(file)) return file
  const made = `${directory}.${process.pid}`
  const { status } = spawnSync(node, ["scripts/bundle.mjs", made], { cwd: root, env, stdio: "ignore" })
  if (status !== 0) {
    say("The server could not be bundled: it starts from its sources, which takes a second longer.")
    return source
  }
  try {
    renameSync(made, directory)
  } catch {
    // Another start made the same one meanwhile.
    rmSync(made, { recursive: true, force: true })
  }
  // A server that still runs from an older one may start a thread from it.
  for (const old of newestFirst(cache).slice(KEPT)) rmSync(old, { recursive: true, force: true })
  return existsSync(file) ? file : source
}

function newestFirst(directory) {
  return readdirSync(directory)
    .map((name) => join(directory, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
}

function writable(directory) {
  try {
    accessSync(directory, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function say(line) {
  console.error(line)
}

function fail(line) {
  console.error(line)
  process.exit(1)
}
