import { GenerationsRpc } from "@llm-saas/api/GenerationsRpc"
import { Generations } from "@llm-saas/engine/generations/Generations"
import { Effect } from "effect"
import { reading } from "./Events.ts"

/** `generations.…`. */
export const GenerationsCalls = GenerationsRpc.toLayer(
  Effect.map(Generations, (generations) =>
    GenerationsRpc.of({
      "generations.get": ({ id }) => generations.get(id),
      "generations.cancel": ({ id }) => generations.cancel(id),
      "generations.watch": ({ after, id }) =>
        reading(generations.follow(id), { seq: after ?? 0, path: ["payload", "after"] })
    })
  )
)
