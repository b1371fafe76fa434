import { Actor } from "@llm-saas/domain/Actor"
import type { GenerationId } from "@llm-saas/domain/Generation"
import { Effect } from "effect"
import type { Marked } from "../Deletions.ts"
import * as GenerationReader from "./GenerationReader.ts"
import type { GenerationRunner } from "./GenerationRunner.ts"
import type { RunningGenerations } from "./RunningGeneration.ts"

/** Generations that were asked before: whether they run here, at another process, or ended. `model`: for rows that name none. */
export const make = ({
  model,
  reader,
  runner,
  runningGenerations
}: {
  readonly model: string
  readonly reader: Effect.Success<ReturnType<typeof GenerationReader.make>>
  readonly runner: GenerationRunner
  readonly runningGenerations: RunningGenerations
}) => {
  /** The scope is the reader. */
  const read = Effect.fnUntraced(function* (id: GenerationId) {
    const actor = yield* Actor
    const found = yield* reader.check(id)
    const live = runningGenerations.find(actor, found.generation_id)
    if (live !== undefined) yield* runner.attach(live)
    const tokenLog = live === undefined ? yield* reader.read(found.generation_id) : live.tokenLog
    return {
      messageId: found.id,
      generationId: found.generation_id,
      conversationId: found.conversation_id,
      model: found.model ?? model,
      tokenLog,
      replayed: tokenLog.ended !== undefined
    }
  })

  const cancel = Effect.fnUntraced(function* (id: GenerationId) {
    const actor = yield* Actor
    const { id: generationId } = yield* reader.requestCancel(id)
    const live = runningGenerations.find(actor, generationId)
    if (live !== undefined) {
      live.end({ status: "cancelled" })
      yield* GenerationReader.ended(live.tokenLog)
    }
    return yield* reader.get(generationId)
  })

  const stop = ({ id, tenant_id }: Marked) =>
    Effect.sync(() => {
      for (const live of runningGenerations.of(tenant_id)) if (live.belongsTo(id)) live.end({ status: "cancelled" })
    })

  return { read, cancel, stop }
}
