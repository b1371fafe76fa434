import { assert, it } from "@effect/vitest"
import { allowedOrigins } from "../../src/http/AllowedOrigins.ts"

const LOCAL = [
  "http://localhost:3000",
  "https://localhost",
  "http://127.0.0.1:5173",
  "http://[::1]:8080",
  "http://app.localhost:3000"
]
const OTHERS = [
  "null",
  "http://localhost.evil.test",
  "http://evil.test:80#localhost",
  "http://127.0.0.1.evil.test",
  "http://evil-localhost",
  "file://localhost",
  "https://app.example.com"
]

it("pages of this machine may read the answers where that is allowed, and no other", () => {
  const allows = allowedOrigins({ allowedOrigins: [], allowLocalOrigins: true })
  for (const origin of LOCAL) assert.isTrue(allows?.(origin), origin)
  for (const origin of OTHERS) assert.isFalse(allows?.(origin), origin)
})

it("pages of the listed origins may, and none where the list is empty", () => {
  const allows = allowedOrigins({ allowedOrigins: ["https://app.example.com"], allowLocalOrigins: false })
  assert.isTrue(allows?.("https://app.example.com"))
  for (const origin of LOCAL) assert.isFalse(allows?.(origin), origin)
  assert.isUndefined(allowedOrigins({ allowedOrigins: [], allowLocalOrigins: false }))
})
