import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const PACKAGES = fileURLToPath(new URL("../..", import.meta.url))

// What the source of each package may import beside itself: its powers. A new line here is a decision about the design.
const POWERS: Readonly<Record<string, ReadonlyArray<string>>> = {
  domain: ["effect"],
  api: ["effect", "domain"],
  dialects: ["effect", "domain"],
  client: ["effect", "domain", "api"],
  console: [
    "client",
    "react",
    "react-dom",
    "react-markdown",
    "rehype-highlight",
    "remark-gfm",
    "radix-ui",
    "@simplewebauthn/browser",
    "@tanstack/react-query",
    "@tanstack/react-router",
    "uplot",
    "uqr",
    "virtua"
  ],
  database: ["effect", "domain", "@effect/sql-pg", "node:"],
  "embedded-postgres": ["effect", "node:"],
  engine: ["effect", "domain", "database"],
  llm: ["effect", "domain", "dialects", "engine", "openai", "node:"],
  mail: ["effect", "domain", "database", "engine", "nodemailer"],
  mlflow: ["effect", "domain", "database", "engine"],
  sso: ["effect", "domain", "engine", "openid-client", "node:"],
  server: [
    "effect",
    "domain",
    "api",
    "dialects",
    "database",
    "embedded-postgres",
    "engine",
    "llm",
    "mail",
    "mlflow",
    "sso",
    "@effect/platform-node",
    "@node-rs/argon2",
    "@simplewebauthn/server",
    "@zxcvbn-ts/language-common",
    "jose",
    "otpauth",
    "swagger-ui-dist",
    "yaml",
    "node:"
  ],
  testing: [
    "effect",
    "domain",
    "database",
    "embedded-postgres",
    "engine",
    "@effect/vitest",
    "@testcontainers/postgresql",
    "smtp-server",
    "oidc-provider",
    "vitest",
    "node:"
  ]
}

const IMPORT =
  /(?:^|[\s;])(?:import|export)\s[^"'`;]*?from\s*["']([^"']+)["']|(?:^|[\s;])import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gu

const sources = (name: string) =>
  readdirSync(join(PACKAGES, name, "src"), { recursive: true, encoding: "utf8" }).filter((file) =>
    /\.tsx?$/u.test(file)
  )

/** `@llm-saas/domain/User` is domain, `effect/Schema` is effect, `node:fs` is node: */
const power = (specifier: string) => {
  if (specifier.startsWith("node:")) return "node:"
  const [scope = "", name = ""] = specifier.split("/")
  if (scope === "@llm-saas") return name
  return scope.startsWith("@") ? `${scope}/${name}` : scope
}

const imports = (name: string) =>
  sources(name).flatMap((file) => {
    const text = readFileSync(join(PACKAGES, name, "src", file), "utf8")
    return [...text.matchAll(IMPORT)].map((match) => ({ file, specifier: match[1] ?? match[2] ?? match[3] ?? "" }))
  })

describe("each package is a set of powers", () => {
  it("names every package", () => {
    assert.deepStrictEqual(readdirSync(PACKAGES).sort(), Object.keys(POWERS).sort())
  })

  for (const [name, allowed] of Object.entries(POWERS)) {
    it(`${name} imports nothing beyond ${allowed.join(", ")}`, () => {
      const foreign = imports(name).filter(({ specifier }) => !specifier.startsWith("."))
      assert.isNotEmpty(foreign)
      assert.deepStrictEqual(
        foreign.filter(({ specifier }) => !allowed.includes(power(specifier))),
        []
      )
    })
  }

  it("only database speaks to PostgreSQL", () => {
    const speakers = Object.keys(POWERS).filter((name) =>
      imports(name).some(
        ({ specifier }) => specifier.startsWith("@effect/sql-pg") || specifier === "effect/sql/SqlClient"
      )
    )
    assert.deepStrictEqual(speakers, ["database"])
  })

  it("relative imports name their file and stay inside the package", () => {
    const wrong = Object.keys(POWERS).flatMap((name) =>
      imports(name).filter(({ file, specifier }) => {
        if (!specifier.startsWith(".")) return false
        return !/\.(?:tsx?|css)$/u.test(specifier) || join("/src", file, "..", specifier).split("/")[1] !== "src"
      })
    )
    assert.deepStrictEqual(wrong, [])
  })

  /** What each source imports of ours, by its path in `packages`. */
  const graph = new Map<string, ReadonlyArray<string>>(
    Object.keys(POWERS).flatMap((name) => {
      const imported = Map.groupBy(imports(name), ({ file }) => file)
      return sources(name).map((file) => {
        const ours = (imported.get(file) ?? []).flatMap(({ specifier }) => {
          if (specifier.startsWith(".")) return [join(name, "src", file, "..", specifier)]
          const [scope, other = "", ...path] = specifier.split("/")
          return scope === "@llm-saas" ? [join(other, "src", `${path.join("/")}.ts`)] : []
        })
        return [join(name, "src", file), ours] as const
      })
    })
  )

  it("no import leads back to where it began", () => {
    const done = new Set<string>()
    const circles: Array<string> = []
    const visit = (file: string, path: ReadonlyArray<string>): void => {
      const start = path.indexOf(file)
      if (start >= 0) return void circles.push([...path.slice(start), file].join(" → "))
      if (done.has(file)) return
      for (const next of graph.get(file) ?? []) visit(next, [...path, file])
      done.add(file)
    }
    for (const file of graph.keys()) visit(file, [])
    assert.isAbove([...graph.values()].flat().length, 500)
    assert.deepStrictEqual(circles, [])
  })

  it("what serves requests does not import the migrator", () => {
    const reached = new Set<string>()
    const visit = (file: string): void => {
      if (reached.has(file)) return
      reached.add(file)
      for (const next of graph.get(file) ?? []) visit(next)
    }
    for (const file of graph.keys())
      if (/^(?:engine|server)\/src\/(?:.*\/)?(?:http|rpc|sse|generations|messages|accounts)\//u.test(file)) visit(file)
    visit("server/src/Program.ts")
    assert.isTrue(reached.has("database/src/Tenancy.ts"))
    assert.deepStrictEqual(
      [...reached].filter((file) =>
        /^database\/src\/(?:migrations|backup)\/|SchemaRepair|RepairStatements/u.test(file)
      ),
      []
    )
  })
})
