import { assert, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const ROOT = fileURLToPath(new URL("../../..", import.meta.url))

const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`)
].map((name) => ({ name, text: readFileSync(join(ROOT, name), "utf8") }))

const folders = readdirSync(join(ROOT, "packages")).flatMap((name) =>
  ["src", "test", "bench"].map((folder) => `packages/${name}/${folder}`)
)

/** Paths of this repository's files. What is installed is not among them. */
const PATHS = [...folders, "sql", "scripts", "docs", "docker", "examples"].flatMap((folder) =>
  existsSync(join(ROOT, folder))
    ? readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((path) =>
        join(folder, path).replaceAll("\\", "/")
      )
    : []
)

/** Made or installed by a command, the reader's own, or a pattern. */
const ELSEWHERE = /^(?:node_modules|dist|\.data)\/|^docker-compose\.override\.yml$|^packages\/client\/dist|NAME|NNNN/u

it("documents link to what is there", () => {
  const dead = DOCUMENTS.flatMap(({ name, text }) =>
    [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/gu)].flatMap(([, link = ""]) =>
      /^[a-z]+:/u.test(link) || existsSync(join(ROOT, dirname(name), link)) ? [] : [`${name}: ${link}`]
    )
  )
  assert.deepStrictEqual(dead, [], "links to nothing")
})

it("documents name files that are there", () => {
  const gone = DOCUMENTS.flatMap(({ name, text }) =>
    [...text.matchAll(/`([\w./-]+\.(?:ts|sql|mjs|tsv|toml|yml|md))`/gu)].flatMap(([, file = ""]) =>
      ELSEWHERE.test(file)
      || existsSync(join(ROOT, file))
      || PATHS.some((path) => path === file || path.endsWith(`/${file}`))
        ? []
        : [`${name}: ${file}`]
    )
  )
  assert.deepStrictEqual(gone, [], "files that were renamed or removed: name the new one")
})
