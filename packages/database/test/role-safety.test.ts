import { assert, describe, it, layer } from "@effect/vitest"
import { holesFixedIn, inspectLogin } from "@llm-saas/database/logins/RoleSafety"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import { open } from "./Session.ts"

/** A new login, made as `how` says ($ is its name), and the findings against it. */
const risksOf = (how: string) =>
  Effect.gen(function* () {
    const { adminUrl, name: database } = yield* TestDatabase
    const admin = yield* open(adminUrl)
    const name = `login_${randomUUID().slice(0, 8)}`
    yield* Effect.acquireRelease(
      admin.rows(
        `create role ${name} login password 'x'; create role ${name}_group; grant connect on database ${database} to ${name}; ${how.replaceAll("$", name)}`
      ),
      () =>
        Effect.orDie(
          admin.rows(
            `reassign owned by ${name} to current_user; drop owned by ${name}; drop role ${name}; drop role ${name}_group`
          )
        )
    )
    const url = new URL(Redacted.value(adminUrl))
    url.username = name
    url.password = "x"
    return (yield* inspectLogin(Redacted.make(url.href))).risks
  }).pipe(Effect.scoped)

// Its roles are members of ours, which every other database of the server would report.
layer(TestDatabase.layerAlone, { timeout: "120 seconds" })("a login", (it) => {
  it.effect("that may only enter rooms is harmless", () =>
    Effect.gen(function* () {
      const { apiUrl } = yield* TestDatabase
      const api = yield* inspectLogin(apiUrl)
      assert.deepStrictEqual([api.role, api.risks, api.administers], ["llm_api", [], false])
      assert.deepStrictEqual(yield* risksOf("grant llm_tenant to $"), [])
    })
  )

  it.effect("that could bypass row-level security is reported", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestDatabase
      assert.include((yield* inspectLogin(adminUrl)).risks, "is a superuser")
      assert.deepStrictEqual(yield* risksOf("alter role $ bypassrls"), ["has BYPASSRLS"])
      assert.deepStrictEqual(yield* risksOf("alter role $ createrole"), ["may create roles"])
      assert.deepStrictEqual(yield* risksOf("alter role $ replication"), ["may replicate the whole server"])
      assert.deepStrictEqual(yield* risksOf("grant llm_owner to $"), ["is or may become llm_owner"])
      assert.deepStrictEqual(yield* risksOf("alter role $ noinherit; grant llm_auth to $_group; grant $_group to $"), [
        "is or may become llm_auth"
      ])
      assert.deepStrictEqual(yield* risksOf("grant llm_auditor to $"), ["is or may become llm_auditor"])
      assert.deepStrictEqual(yield* risksOf("grant pg_execute_server_program to $"), [
        "is or may become pg_execute_server_program"
      ])
      const [group] = yield* risksOf("alter role $_group bypassrls; grant $_group to $")
      assert.match(group ?? "", /^is or may become login_.*_group$/u)
      assert.deepStrictEqual(
        yield* risksOf(
          "grant create on schema app to $; create table app.theirs (); alter table app.theirs owner to $"
        ),
        ["owns tables of app"]
      )
    })
  )
})

describe("a server", () => {
  it("with known holes in row-level security is named with the release that closes them", () => {
    const found = [140019, 150019, 150020, 160016, 170011, 180004, 180007, 190000].map((version) =>
      holesFixedIn(version)
    )
    assert.deepStrictEqual(found, ["18.7", "15.20", undefined, undefined, "17.12", "18.7", undefined, undefined])
  })
})
