import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Fiber } from "effect"
import { randomBytes, randomUUID } from "node:crypto"
import { office, untilBlocked } from "./Questions.ts"
import type { Session } from "./Session.ts"

const newKey = () => randomBytes(32).toString("base64url")
const SECONDS = 900

/** What the logins of one account from one address count for, other than the address where it is given. */
const place = (address = newKey()) => ({
  keys: [newKey(), newKey(), address],
  behind: [newKey(), newKey(), newKey()],
  seed: newKey()
})
type Place = ReturnType<typeof place>

const LIMITS = [5, 50, 50]
const ACCOUNT = randomUUID()

const begin = Effect.fnUntraced(function* (session: Session, { keys }: Place, limits = LIMITS) {
  const id = randomUUID()
  const [row] = yield* session.rows("select wait from auth.login_begin($1, $2, $3, $4)", [id, keys, limits, SECONDS])
  return { id, wait: Number(row?.["wait"]) }
})
const end = (session: Session, { behind, keys, seed }: Place, id: string, fits: boolean, limits = LIMITS) =>
  session.rows("select tried, told from auth.login_end($1, $2, $3, $4, false, $5, $6, $7, $8)", [
    id,
    keys,
    limits,
    SECONDS,
    seed,
    behind,
    [ACCOUNT],
    fits ? [ACCOUNT] : []
  ])
const cancel = (session: Session, { keys }: Place, id: string) =>
  session.rows("select auth.login_cancel($1, $2, $3, $4)", [id, keys, LIMITS, SECONDS])
const fail = (session: Session, where: Place) =>
  Effect.flatMap(begin(session, where), ({ id, wait }) =>
    wait > 0 ? Effect.succeed(wait) : Effect.as(end(session, where, id, false), 0)
  )
const repeated = <A, E, R>(n: number, each: Effect.Effect<A, E, R>) => Effect.all(Array.from({ length: n }, () => each))

/** Failures that count for the account at the address. */
const level = (superuser: Session, { keys }: Place) =>
  Effect.map(
    superuser.rows("select level from meta.login_counts where key = $1", [keys[0]]),
    ([row]) => Math.round(Number(row?.["level"] ?? 0) * 100) / 100
  )
/** As if the database's clock were this much ahead. */
const step = Effect.fnUntraced(function* (superuser: Session, by: string) {
  yield* superuser.rows("update meta.login_counts set at = at - $1::interval, empty_at = empty_at - $1::interval", [by])
  yield* superuser.rows("update meta.login_attempts set expires_at = expires_at - $1::interval", [by])
  yield* superuser.rows("update meta.login_known set until = until - $1::interval", [by])
})

layer(TestDatabase.layer)("logins", (it) => {
  it.effect(
    "of which many begin and end at once on many connections never exceed the limit, and leave all the room there is",
    () =>
      Effect.gen(function* () {
        const { another, api } = yield* office
        const sessions = yield* repeated(6, another)
        const where = place()
        const other = place(where.keys[2])
        let underWay = 0
        let failures = 0
        yield* Effect.forEach(
          sessions,
          (session, s) =>
            Effect.forEach(Array.from({ length: 25 }), (_, n) =>
              Effect.gen(function* () {
                // The address is shared by both accounts: its row is locked by all of them.
                const own = s === 5 ? other : where
                const { id, wait } = yield* begin(session, own)
                if (wait > 0) return
                const fails = s < 5 && (n + s) % 9 === 0
                if (s < 5) assert.isAtMost(++underWay + failures, 5)
                yield* session.rows("select 1")
                // From here on it may end at any moment.
                if (s < 5) underWay--
                if (fails) failures++
                yield* n % 2 === 0 || fails ? end(session, own, id, !fails) : cancel(session, own, id)
              })
            ),
          { concurrency: "unbounded", discard: true }
        )
        assert.isAtMost(failures, 5)
        const left = (yield* repeated(8, fail(api, where))).filter((wait) => wait === 0)
        assert.strictEqual(left.length, 5 - failures)
      }).pipe(Effect.scoped)
  )

  it.effect("that never end have failed after a minute, and leak away from then on", () =>
    Effect.gen(function* () {
      const { api, superuser } = yield* office
      const where = place()
      yield* repeated(5, begin(api, where))
      // How long they are under way is not known.
      assert.strictEqual((yield* begin(api, where)).wait, 1)
      yield* step(superuser, "60 seconds")
      assert.closeTo((yield* begin(api, where)).wait, 180, 5)
      assert.strictEqual(yield* level(superuser, where), 5)
      const later = place()
      yield* repeated(5, begin(api, later))
      // A minute and three times 180 seconds: two are left.
      yield* step(superuser, "600 seconds")
      assert.deepStrictEqual(yield* repeated(3, fail(api, later)), [0, 0, 0])
      assert.closeTo(yield* fail(api, later), 180, 5)
    }).pipe(Effect.scoped)
  )

  it.effect("that end after that count once if they failed, and not at all if they succeeded or we failed", () =>
    Effect.gen(function* () {
      const { api, superuser } = yield* office
      const where = place()
      const logins = yield* repeated(4, begin(api, where))
      yield* step(superuser, "61 seconds")
      assert.strictEqual((yield* begin(api, where)).wait, 0)
      assert.closeTo(yield* level(superuser, where), 4, 0.1)
      const [failed, succeeded, cancelled, late] = logins.map(({ id }) => id)
      yield* end(api, where, failed ?? "", false)
      assert.closeTo(yield* level(superuser, where), 4, 0.1)
      yield* end(api, where, succeeded ?? "", true)
      assert.closeTo(yield* level(superuser, where), 3, 0.1)
      yield* repeated(3, cancel(api, where, cancelled ?? ""))
      assert.closeTo(yield* level(superuser, where), 2, 0.1)
      yield* step(superuser, "2 hours")
      yield* end(api, where, late ?? "", true)
      assert.strictEqual(yield* level(superuser, where), 0)
    }).pipe(Effect.scoped)
  )

  it.effect("are held up by no step of the clock backwards for longer than a window, nor under way for longer", () =>
    Effect.gen(function* () {
      const { api, superuser } = yield* office
      const [where, killed] = [place(), place()]
      yield* repeated(5, fail(api, where))
      yield* repeated(5, begin(api, killed))
      yield* step(superuser, "-1 day")
      assert.closeTo(yield* fail(api, where), 180, 5)
      assert.closeTo(yield* fail(api, killed), 180, 5)
      // It goes on leaking from there.
      yield* step(superuser, "180 seconds")
      for (const each of [where, killed]) {
        assert.strictEqual(yield* fail(api, each), 0)
        assert.closeTo(yield* fail(api, each), 180, 5)
      }
      yield* step(superuser, "1 day")
      assert.strictEqual(yield* fail(api, where), 0)
    }).pipe(Effect.scoped)
  )

  it.effect("wait for none of another account or address, and one that is refused waits for none at all", () =>
    Effect.gen(function* () {
      const { another, api, superuser } = yield* office
      const [flooded, calm] = [place(), place()]
      const second = yield* another
      yield* repeated(5, fail(api, flooded))
      // As another process holds them while it counts.
      yield* superuser.rows("begin")
      yield* superuser.rows("select from meta.login_counts where key = any($1) for update", [flooded.keys])
      assert.isAbove(yield* fail(api, flooded), 0)
      assert.strictEqual(yield* fail(api, calm), 0)
      const neighbour = place(flooded.keys[2])
      const waiting = yield* Effect.forkChild(fail(second, neighbour))
      const { superuser: watching } = yield* office
      yield* untilBlocked(watching)
      assert.strictEqual(yield* fail(api, calm), 0)
      yield* superuser.rows("commit")
      assert.strictEqual(yield* Fiber.join(waiting), 0)
    }).pipe(Effect.scoped)
  )

  it.effect("that succeed leave nothing that lasts but what the address knows, and that for a day", () =>
    Effect.gen(function* () {
      const { api, superuser } = yield* office
      const count = (table: string) =>
        Effect.map(superuser.rows(`select count(*)::int as n from meta.${table}`), ([row]) => Number(row?.["n"]))
      const places = Array.from({ length: 30 }, () => place())
      for (const where of places) yield* end(api, where, (yield* begin(api, where)).id, true)
      for (const where of places) yield* fail(api, where)
      yield* begin(api, place())
      assert.isAtLeast(yield* count("login_known"), 30)
      yield* step(superuser, "2 days")
      const where = place()
      yield* repeated(
        40,
        Effect.flatMap(begin(api, where), ({ id }) => cancel(api, where, id))
      )
      assert.isAtMost(yield* count("login_counts"), 3)
      assert.strictEqual(yield* count("login_known"), 0)
      assert.strictEqual(yield* count("login_attempts"), 0)
    }).pipe(Effect.scoped)
  )

  it.effect("make no rows where they are refused, however many emails are tried", () =>
    Effect.gen(function* () {
      const { api, superuser } = yield* office
      const address = newKey()
      const from = () => place(address)
      for (let n = 0; n < 5; n++) {
        const where = from()
        yield* end(api, where, (yield* begin(api, where, [5, 50, 5])).id, false, [5, 50, 5])
      }
      const rows = superuser.rows("select count(*)::int as n from meta.login_counts")
      const before = yield* rows
      for (let n = 0; n < 20; n++) assert.isAbove((yield* begin(api, from(), [5, 50, 5])).wait, 0)
      assert.deepStrictEqual(yield* rows, before)
    }).pipe(Effect.scoped)
  )

  it.effect("are reached by functions alone", () =>
    Effect.gen(function* () {
      const { api } = yield* office
      for (const table of ["login_counts", "login_attempts", "login_known"])
        assert.strictEqual(
          yield* Effect.match(api.rows(`select from meta.${table}`), {
            onFailure: ({ state }) => state,
            onSuccess: () => "fine"
          }),
          "42501"
        )
    }).pipe(Effect.scoped)
  )
})
