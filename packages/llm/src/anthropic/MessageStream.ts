import { MessageReader, type ReaderOptions } from "@llm-saas/dialects/anthropic/MessageReader"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import { EventStream } from "../EventStream.ts"
import type { Asked } from "../Rejection.ts"
import { spokenFailure } from "./Failures.ts"

/** An answer of `POST /v1/messages`. A `ping` counts as an event: it comes while the model thinks and nothing of that is shown. */
export class MessageStream extends EventStream {
  constructor(emit: (piece: ModelPiece) => void, options: ReaderOptions, asked: Asked) {
    super(new MessageReader(emit, options), asked, spokenFailure)
  }
}
