/**
 * What a careful person would write by hand on node:http and pg: the same answers from the same statements, nothing else. No
 * router, no validation, no limits, no log line. MODE says how the statements travel.
 */
import { randomUUID } from "node:crypto"
import { createServer } from "node:http"
import { text } from "node:stream/consumers"
import { verify as verifyPassword } from "@node-rs/argon2"
import { jwtVerify, SignJWT } from "jose"
import pg from "pg"

const { DATABASE_URL, SECRET_KEY, MODE, PORT } = process.env
const pipelined = MODE?.startsWith("pipeline") === true
const cached = MODE?.endsWith("cached") === true
const key = new TextEncoder().encode(SECRET_KEY)

const ENTER = {
  name: "enter",
  text: "select role from app.enter($1::uuid, $2::uuid, $3::integer, $4::text)"
}
const ME = {
  name: "me",
  text: `select u.id, u.tenant_id, u.email, u.role, u.status, u.created_at,
                jsonb_build_object('id', t.id, 'name', t.name, 'registration', t.registration, 'created_at', t.created_at) as tenant
         from app.users u join app.tenants t on t.id = u.tenant_id where u.id = app.user_id()`
}

interface Claims {
  readonly tenant_id: string
  readonly user_id: string
  readonly epoch: number
}
const verified = new Map<string, Claims>()
const verify = async (token: string): Promise<Claims> => {
  const known = cached ? verified.get(token) : undefined
  if (known !== undefined) return known
  const { payload } = await jwtVerify<Claims>(token, key, {
    issuer: "llm-saas",
    audience: "llm-saas-api",
    typ: "at+jwt",
    algorithms: ["HS256"]
  })
  if (cached) verified.set(token, payload)
  return payload
}

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10, ...(pipelined ? { pipeline: true } : {}) })

const me = async (token: string): Promise<unknown> => {
  const claims = await verify(token)
  const client = await pool.connect()
  try {
    const enter = { ...ENTER, values: [claims.tenant_id, claims.user_id, claims.epoch, "user"] }
    if (pipelined) {
      const [, , found] = await Promise.all([
        client.query("begin"),
        client.query(enter),
        client.query(ME),
        client.query("commit")
      ])
      return found.rows[0]
    }
    await client.query("begin")
    await client.query(enter)
    const found = await client.query(ME)
    await client.query("commit")
    return found.rows[0]
  } finally {
    client.release()
  }
}

interface Candidate {
  readonly tenant_id: string
  readonly user_id: string
  readonly role: string
  readonly password_hash: string
  readonly token_epoch: number
}

const login = async (form: URLSearchParams): Promise<unknown> => {
  const found = await pool.query<Candidate>("select * from auth.login_candidates($1, null)", [form.get("username")])
  const [user] = found.rows
  if (user === undefined || !(await verifyPassword(user.password_hash, form.get("password") ?? "")))
    throw new Error("wrong")
  await pool.query("select auth.login_record(array[$1::uuid], array[$2::uuid], $2, '-')", [
    user.tenant_id,
    user.user_id
  ])
  const { role, tenant_id, token_epoch, user_id } = user
  const access_token = await new SignJWT({ user_id, tenant_id, role, epoch: token_epoch })
    .setProtectedHeader({ alg: "HS256", typ: "at+jwt" })
    .setSubject(user.user_id)
    .setIssuer("llm-saas")
    .setAudience("llm-saas-api")
    .setIssuedAt()
    .setExpirationTime("1h")
    .setJti(randomUUID())
    .sign(key)
  return { access_token, token_type: "bearer", expires_in: 3600 }
}

const HEALTH = JSON.stringify({ status: "ok" })
createServer((request, response) => {
  const answer = (body: string) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
    response.end(body)
  }
  if (request.url === "/health") return answer(HEALTH)
  const work =
    request.url === "/login"
      ? text(request).then((body) => login(new URLSearchParams(body)))
      : me(request.headers.authorization?.slice(7) ?? "")
  work.then(
    (row) => answer(JSON.stringify(row)),
    (error: unknown) => {
      response.writeHead(500)
      response.end(String(error))
    }
  )
}).listen(Number(PORT), "127.0.0.1")

process.on("SIGTERM", () => process.exit(0))
