import type { StreamEvent } from "@llm-saas/api/StreamEvent"
import { type GenerationId, Seq } from "@llm-saas/domain/Generation"
import type { QuestionBody } from "@llm-saas/domain/Question"
import { Effect, Stream } from "effect"
import { Rpc } from "./Rpc.ts"

/** Wait before the second try. It doubles before each further try, up to the longest. */
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 8000
/** Number of failed tries in a row, about half a minute in all, after which the failure is final. */
const TRIES = 8

type Calls = Rpc["Service"]
type Failure<S> = S extends Stream.Stream<unknown, infer E> ? E : never

/**
 * Asks, and streams the answer: `start`, each token, thought and piece of a call, `usage`, `end`. A lost connection is reopened, and the answer continues with its
 * next token: none is lost or repeated, and the model is asked once. Interruption closes the connection; the server stops an answer that
 * has had no reader for a while.
 */
export const ask = (
  question: QuestionBody & { readonly idempotency_key?: string }
): Stream.Stream<StreamEvent, Failure<ReturnType<Calls["messages.stream"]>>, Rpc> =>
  Stream.unwrap(
    Effect.map(Rpc, (rpc) => {
      const key = question.idempotency_key ?? crypto.randomUUID()
      return resuming(() => rpc["messages.stream"]({ ...question, idempotency_key: key }), rpc)
    })
  )

/** Follows an existing answer after the token `after`. A lost connection is reopened, as above. */
export const watch = (
  id: GenerationId,
  after = 0
): Stream.Stream<StreamEvent, Failure<ReturnType<Calls["generations.watch"]>>, Rpc> =>
  Stream.unwrap(Effect.map(Rpc, (rpc) => resuming(() => rpc["generations.watch"]({ id, after: Seq.make(after) }), rpc)))

type Watch = ReturnType<Calls["generations.watch"]>

const resuming = <E extends { readonly _tag: string }>(
  begin: () => Stream.Stream<StreamEvent, E>,
  rpc: Calls
): Stream.Stream<StreamEvent, E | Failure<Watch>> =>
  Stream.suspend(() => {
    let generation: GenerationId | undefined
    let seq = Seq.make(0)
    let tries = 1
    const note = (event: StreamEvent) => {
      tries = 1
      if (event.type === "start") generation = event.generation_id
      if ("seq" in event) ({ seq } = event)
    }
    const again = <F extends { readonly _tag: string }>(
      error: F
    ): Stream.Stream<StreamEvent, E | F | Failure<Watch>> => {
      if (!isPassing(error) || tries >= TRIES) return Stream.fail(error)
      const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1))
      tries++
      return Stream.unwrap(Effect.as(Effect.sleep(wait), connection()))
    }
    const connection = (): Stream.Stream<StreamEvent, E | Failure<Watch>> => {
      const resumed = generation !== undefined
      const source: Stream.Stream<StreamEvent, E | Failure<Watch>> =
        generation === undefined ? begin() : rpc["generations.watch"]({ id: generation, after: seq })
      return source.pipe(
        // Every connection begins with a `start`; the reader gets only the first.
        Stream.filter((event) => !(resumed && event.type === "start")),
        Stream.tap((event) => Effect.sync(() => note(event))),
        Stream.catch((error) => again(error))
      )
    }
    return connection()
  })

/** A temporary failure: no connection, or the server is not available for the moment. */
const isPassing = ({ _tag }: { readonly _tag: string }): boolean => _tag === "RpcClientError" || _tag === "Unavailable"
