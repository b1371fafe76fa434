import { Tenancy } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import { type Page, page } from "@llm-saas/domain/Page"
import type { Refused } from "@llm-saas/domain/Refusal"
import { type LoginMethod, Session, SessionId, SessionNotFound } from "@llm-saas/domain/Session"
import { type TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { type UserId, UserNotFound } from "@llm-saas/domain/User"
import { Context, Effect, Layer, Option } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as AuditLog from "../AuditLog.ts"
import * as SessionQueries from "./SessionQueries.ts"

/** What a session begins with. */
export interface NewSession {
  /** Undefined: a new one. */
  readonly id: SessionId | undefined
  readonly method: LoginMethod
  /** SHA-256 of its first refresh token, in hexadecimal. */
  readonly hash: string
  readonly device: string | undefined
  readonly address: string
  readonly idleSeconds: number
  readonly lifeSeconds: number
}

/** A user of a tenant, as an admin names them. */
export interface UserOf {
  readonly tenant: TenantId
  readonly user: UserId
}

interface At {
  readonly limit: number
  readonly cursor: string | undefined
}

/**
 * Sessions, as rows of their user's room: users see and end their own, admins those of the tenant's users. They are renewed before a room is
 * entered: `SessionAccess`.
 */
export class UserSessions extends Context.Service<
  UserSessions,
  {
    /** Begins one for the actor. */
    readonly begin: (session: NewSession) => Effect.Effect<SessionId, Refused, Actor>
    /** Those of the actor that are not over, newest first. */
    readonly list: (at: At) => Effect.Effect<Page<Session>, Refused, Actor>
    readonly end: (id: SessionId) => Effect.Effect<void, SessionNotFound | Refused, Actor>
    /** All of the actor but the one of the request. */
    readonly endOthers: Effect.Effect<void, Refused, Actor>
    /** The one of the request. */
    readonly logout: Effect.Effect<void, Refused, Actor>
    readonly ofUser: (
      of: UserOf,
      at: At
    ) => Effect.Effect<Page<Session>, TenantNotFound | UserNotFound | Refused, Actor>
    readonly endOfUser: (
      of: UserOf,
      id: SessionId
    ) => Effect.Effect<void, TenantNotFound | SessionNotFound | Refused, Actor>
    readonly endAllOfUser: (of: UserOf) => Effect.Effect<void, TenantNotFound | UserNotFound | Refused, Actor>
  }
>()("@llm-saas/engine/accounts/UserSessions") {
  static readonly layer = Layer.effect(
    UserSessions,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const tenancy = yield* Tenancy
  const random = yield* SecureRandom
  const record = AuditLog.recorder(random)

  const begin: UserSessions["Service"]["begin"] = Effect.fn("UserSessions.begin")(function* (session) {
    const { tokenEpoch } = yield* Actor
    const id = session.id ?? SessionId.make(yield* random.uuidV7())
    yield* tenancy.transaction(
      Effect.andThen(
        SessionQueries.insertSession({ ...session, id, device: session.device ?? null, epoch: tokenEpoch }),
        record("session.begun", { kind: "session", id }, { method: session.method })
      )
    )
    return id
  })

  const pageOf = Effect.fnUntraced(function* (user: UserId | null, { cursor, limit }: At) {
    const { session } = yield* Actor
    const rows = yield* SessionQueries.selectSessions({ user, after: cursor ?? null, limit: limit + 1 })
    return page(
      rows.map((row) => new Session({ ...row, current: row.id === session })),
      limit
    )
  })

  /** Ends one session of a user. */
  const endOne = Effect.fnUntraced(function* (user: UserId, id: SessionId, reason: string) {
    const ended = yield* SessionQueries.endSession({ user, id, reason })
    if (Option.isNone(ended)) return yield* new SessionNotFound({})
    yield* record("session.ended", { kind: "session", id }, { user_id: user, reason })
  })

  /** Ends all sessions of a user but this one. */
  const endAll = Effect.fnUntraced(function* (user: UserId, reason: string, but: SessionId | null) {
    const ended = yield* SessionQueries.endSessions({ user, but, reason })
    yield* record("session.ended", { kind: "user", id: user }, { user_id: user, reason, sessions: ended.length })
  })

  const end: UserSessions["Service"]["end"] = Effect.fn("UserSessions.end")(function* (id) {
    const { userId } = yield* Actor
    yield* tenancy.transaction(endOne(userId, id, "ended_by_user"))
  })

  const endOthers = Effect.gen(function* () {
    const { session, userId } = yield* Actor
    yield* tenancy.transaction(endAll(userId, "ended_by_user", session ?? null))
  }).pipe(Effect.withSpan("UserSessions.endOthers"))

  const logout = Effect.gen(function* () {
    const { session, userId } = yield* Actor
    if (session === undefined) return
    // Of two requests at once, the second finds it over.
    yield* tenancy.transaction(
      Effect.catchTag(endOne(userId, session, "logged_out"), "SessionNotFound", () => Effect.void)
    )
  }).pipe(Effect.withSpan("UserSessions.logout"))

  /** Whether there is the user. Inside the room a foreign tenant has none; the caller hears that it does not exist. */
  const known = Effect.fnUntraced(function* ({ tenant, user }: UserOf) {
    const { tenantId } = yield* Actor
    const found = yield* SessionQueries.findPerson(user)
    if (tenant.toLowerCase() !== tenantId) return yield* new TenantNotFound({})
    if (Option.isNone(found)) return yield* new UserNotFound({})
  })

  const ofUser: UserSessions["Service"]["ofUser"] = Effect.fn("UserSessions.ofUser")((of, at) =>
    tenancy.transaction(Effect.andThen(known(of), pageOf(of.user, at)))
  )

  const endOfUser: UserSessions["Service"]["endOfUser"] = Effect.fn("UserSessions.endOfUser")((of, id) =>
    tenancy.transaction(
      Effect.andThen(known(of), endOne(of.user, id, "ended_by_admin")).pipe(
        Effect.catchTag("UserNotFound", () => new SessionNotFound({}))
      )
    )
  )

  const endAllOfUser: UserSessions["Service"]["endAllOfUser"] = Effect.fn("UserSessions.endAllOfUser")((of) =>
    tenancy.transaction(Effect.andThen(known(of), endAll(of.user, "ended_by_admin", null)))
  )

  return UserSessions.of({
    begin,
    list: Effect.fn("UserSessions.list")((at) => tenancy.read(pageOf(null, at))),
    end,
    endOthers,
    logout,
    ofUser,
    endOfUser,
    endAllOfUser
  })
})
