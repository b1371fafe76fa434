// `npm run build:client`: the client as a package, packages/client/dist, for people who do not have this workspace: plain ES modules with
// their types, and the contract they speak. `npm pack` makes a file of it, `npm publish` a release.
import { spawnSync } from "node:child_process"
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..")
const client = join(root, "packages/client")
const out = resolve(process.argv[2] ?? join(client, "dist"))
const emitted = mkdtempSync(join(tmpdir(), "llm-saas-client-"))

// Where the sources of a package end up: the client's at the top, those of the contract below.
const PLACES = { client: "", api: "api", domain: "domain" }
const IMPORT = /(\bfrom |\bimport\(|\bimport )(["'])([^"']+)\2/g

try {
  const tsc = [
    join(root, "node_modules/typescript/bin/tsc"),
    "-p",
    join(client, "tsconfig.build.json"),
    "--outDir",
    emitted
  ]
  const { status } = spawnSync(process.execPath, tsc, { stdio: "inherit" })
  if (status !== 0) process.exit(status ?? 1)

  rmSync(out, { recursive: true, force: true })
  for (const [name, place] of Object.entries(PLACES)) {
    const sources = join(emitted, name, "src")
    for (const file of globSync("**/*.{js,d.ts}", { cwd: sources })) {
      const target = join(out, place, file)
      mkdirSync(dirname(target), { recursive: true })
      writeFileSync(target, standalone(readFileSync(join(sources, file), "utf8"), target))
    }
  }
  writeFileSync(join(out, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`)
  cpSync(join(root, "LICENSE"), join(out, "LICENSE"))
  cpSync(join(root, "docs/client.md"), join(out, "README.md"))
  console.log(relative(process.cwd(), out) || ".")
} finally {
  rmSync(emitted, { recursive: true, force: true })
}

/** Imports of the workspace's packages, and of TypeScript's files, as those of what lies beside. */
function standalone(code, file) {
  return code.replace(IMPORT, (whole, keyword, quote, specifier) => {
    const [, name, path] = /^@llm-saas\/(api|domain)\/(.+)$/.exec(specifier) ?? []
    if (name === undefined) return specifier.startsWith(".") ? whole.replace(/\.ts(["'])$/, ".js$1") : whole
    const to = relative(dirname(file), join(out, PLACES[name], `${path}.js`)).replaceAll("\\", "/")
    return `${keyword}${quote}${to.startsWith(".") ? to : `./${to}`}${quote}`
  })
}

function manifest() {
  const { license, name, version } = JSON.parse(readFileSync(join(client, "package.json"), "utf8"))
  const [, effect] = /^ {2}effect: (\S+)$/m.exec(readFileSync(join(root, "pnpm-workspace.yaml"), "utf8"))
  return {
    name,
    version,
    description: "Client of the LLM SaaS backend: promises and async iterators, or Effect.",
    license,
    type: "module",
    sideEffects: false,
    engines: { node: ">=20" },
    exports: {
      ".": { types: "./plain/Client.d.ts", default: "./plain/Client.js" },
      "./*": { types: "./*.d.ts", default: "./*.js" }
    },
    // Needed for everything but the plain client, which needs nothing.
    peerDependencies: { effect: `~${effect}` },
    peerDependenciesMeta: { effect: { optional: true } }
  }
}
