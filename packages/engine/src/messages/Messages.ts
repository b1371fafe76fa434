import { Tenancy } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import { type Message, type MessageId, MessageNotFound } from "@llm-saas/domain/Message"
import { type Page, page } from "@llm-saas/domain/Page"
import type { Forbidden, Unauthenticated, Unavailable } from "@llm-saas/domain/Refusal"
import { Context, Effect, Layer, Option } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as AuditLog from "../AuditLog.ts"
import { markDeleted } from "../Deletions.ts"
import { selectMessage, selectMessages, toMessage } from "./MessageQueries.ts"
import { Generations } from "../generations/Generations.ts"

type Refused = Unauthenticated | Forbidden | Unavailable

/** Questions and their answers, as they are stored. */
export class Messages extends Context.Service<
  Messages,
  {
    /** Newest first. `own`: the actor's. `tenant`: all of the tenant, for admins; other users are refused. */
    readonly list: (at: {
      readonly scope: "own" | "tenant"
      readonly limit: number
      readonly cursor: string | undefined
    }) => Effect.Effect<Page<Message>, Refused, Actor>
    readonly get: (id: MessageId) => Effect.Effect<Message, MessageNotFound | Refused, Actor>
    /** Question and answer are gone at once; an answer still under way is stopped. Its account stays. */
    readonly remove: (id: MessageId) => Effect.Effect<void, MessageNotFound | Refused, Actor>
  }
>()("@llm-saas/engine/messages/Messages") {
  static readonly layer = Layer.effect(
    Messages,
    Effect.gen(function* () {
      const tenancy = yield* Tenancy
      const generations = yield* Generations
      const random = yield* SecureRandom

      return Messages.of({
        list: Effect.fn("Messages.list")(function* ({ cursor, limit, scope }) {
          const actor = yield* Actor
          const rows = yield* tenancy
            .read(selectMessages({ of: scope, after: cursor ?? null, limit: limit + 1 }))
            .pipe(Effect.provideService(Actor, scope === "tenant" ? { ...actor, needs: "admin" } : actor))
          return page(rows.map(toMessage), limit)
        }),
        get: Effect.fn("Messages.get")(function* (id) {
          const row = yield* tenancy.read(selectMessage(id))
          return Option.isSome(row) ? toMessage(row.value) : yield* new MessageNotFound({})
        }),
        remove: Effect.fn("Messages.remove")(function* (id) {
          const marked = yield* tenancy.once(markDeleted("message", id, yield* AuditLog.stamp(random)))
          if (Option.isNone(marked)) return yield* new MessageNotFound({})
          yield* generations.stop(marked.value)
        })
      })
    })
  )
}
