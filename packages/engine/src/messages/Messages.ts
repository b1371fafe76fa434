import { Tenancy } from "@llm-saas/database/Tenancy"
import { Actor, asAdmin } from "@llm-saas/domain/Actor"
import { type Message, type MessageId, MessageNotFound } from "@llm-saas/domain/Message"
import type { Refused } from "@llm-saas/domain/Refusal"
import type { InsufficientScope } from "@llm-saas/domain/Scope"
import { Context, Effect, Layer, Option } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as AuditLog from "../AuditLog.ts"
import { markDeleted } from "../Deletions.ts"
import { search } from "./MessageSearch.ts"
import { selectMessage, toMessage } from "./MessageQueries.ts"
import { Generations } from "../generations/Generations.ts"

/** Questions and their answers, as they are stored. */
export class Messages extends Context.Service<
  Messages,
  {
    /**
     * A page, newest first, as JSON of the contract's `MessagePage`: the database writes it, and nothing decodes it on its way to the client.
     * `own`: the actor's. `tenant`: all of the tenant, for admins; other users are refused.
     */
    readonly page: (at: {
      readonly scope: "own" | "tenant"
      readonly limit: number
      readonly cursor: string | undefined
    }) => Effect.Effect<string, InsufficientScope | Refused, Actor>
    /** The same of the actor's own messages with this text in question or answer. A page may be short, or empty, and have a next one. */
    readonly search: (of: {
      readonly text: string
      readonly limit: number
      readonly cursor: string | undefined
    }) => Effect.Effect<string, Refused, Actor>
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
        page: Effect.fn("Messages.page")(function* ({ cursor, limit, scope }) {
          const actor = yield* Actor
          const as = scope === "tenant" ? yield* asAdmin(actor) : actor
          const answer = yield* tenancy
            .readFunction("message_page", { of: scope, after: cursor ?? null, limit })
            .pipe(Effect.provideService(Actor, as))
          return answer ?? (yield* Effect.die("a page of one's own that does not exist"))
        }),
        search: Effect.fn("Messages.search")(({ cursor, limit, text }) =>
          tenancy.read(search({ text, after: cursor ?? null, limit }))
        ),
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
