// The first step of docker-compose.yml: what needs no choice is made once, at random, and kept in volumes that only those mount
// who need it. What the environment says replaces what is kept.
//   server/   secret-key, encryption-key, tenant-creation-token, database-url, database-jobs-url: the API, and nothing that could see past row-level security
//   owner/    postgres-password, database-admin-url: PostgreSQL itself, and the step that migrates
//   pooler/   users: PgBouncer
import { randomBytes } from "node:crypto"
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const HERE = "/run/llm-saas"
const { DATABASE_HOST = "postgres:5432", ENCRYPTION_KEY, SECRET_KEY, TENANT_CREATION_TOKEN } = process.env
const DATABASE = "llm_saas"

const path = (name) => join(HERE, name)
const read = (name) => (existsSync(path(name)) ? readFileSync(path(name), "utf8").trim() : undefined)
const random = (bytes) => randomBytes(bytes).toString("base64url")

// Written beside and renamed: no reader sees half of it.
function keep(name, text) {
  if (read(name) === text) return
  const known = read(name) !== undefined
  const draft = `${path(name)}.new`
  writeFileSync(draft, `${text}\n`, { mode: 0o600 })
  chmodSync(draft, 0o400)
  renameSync(draft, path(name))
  console.log(`${known ? "changed" : "made"} ${name}`)
}

// A login's password lives in its URL.
function login(name, role) {
  const known = read(name)
  const password = known === undefined ? random(24) : new URL(known).password
  keep(name, `postgres://${role}:${password}@${DATABASE_HOST}/${DATABASE}`)
  return `"${role}" "${password}"`
}

keep("server/secret-key", SECRET_KEY || read("server/secret-key") || random(48))
keep("server/encryption-key", ENCRYPTION_KEY || read("server/encryption-key") || random(32))
keep("server/tenant-creation-token", TENANT_CREATION_TOKEN || read("server/tenant-creation-token") || random(48))
const users = [login("server/database-url", "llm_api"), login("server/database-jobs-url", "llm_jobs")]
keep("pooler/users", users.join("\n"))
const owner = read("owner/postgres-password") ?? random(24)
keep("owner/postgres-password", owner)
// Past PgBouncer: a migration is one session.
keep("owner/database-admin-url", `postgres://postgres:${owner}@postgres:5432/${DATABASE}`)
