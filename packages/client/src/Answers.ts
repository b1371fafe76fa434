import type { Question } from "@llm-saas/api/MessagesApi"
import type { StreamEvent } from "@llm-saas/api/StreamEvent"
import { type GenerationId, Seq } from "@llm-saas/domain/Generation"
import { Effect, Stream } from "effect"
import { Rpc } from "./Rpc.ts"

/** Milliseconds before the second try; each later one waits twice as long as the one before, up to the longest. */
const FIRST_WAIT = 250
const LONGEST_WAIT = 8000
/** Tries in a row that come to nothing, half a minute together, after which we give up. */
const TRIES = 8

type Calls = Rpc["Service"]
type Failure<S> = S extends Stream.Stream<unknown, infer E> ? E : never

/**
 * Asks, and gives the answer as it comes: `start`, each token, `usage`, `end`. A connection that is lost is opened again, and the answer
 * goes on with its next token: none is lost or comes twice, and the model is asked once. Interrupting it leaves; an answer that nobody
 * else reads is stopped after a while.
 */
export const ask = (
  question: typeof Question.Type & { readonly idempotency_key?: string }
): Stream.Stream<StreamEvent, Failure<ReturnType<Calls["messages.stream"]>>, Rpc> =>
  Stream.unwrap(
    Effect.map(Rpc, (rpc) => {
      const key = question.idempotency_key ?? crypto.randomUUID()
      return resuming(() => rpc["messages.stream"]({ ...question, idempotency_key: key }), rpc)
    })
  )

/** Follows an answer that was asked before, wherever it runs, from behind the token `after`. Goes on by itself, as above. */
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
      if (event.type === "delta") ({ seq } = event)
    }
    const again = <F extends { readonly _tag: string }>(
      error: F
    ): Stream.Stream<StreamEvent, E | F | Failure<Watch>> => {
      if (!isPassing(error) || tries >= TRIES) return Stream.fail(error)
      const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1))
      tries++
      return Stream.unwrap(Effect.as(Effect.sleep(wait), connection()))
    }
    const connection = (): Stream.Stream<StreamEvent, E | Failure<Watch>> => {
      const resumed = generation !== undefined
      const source: Stream.Stream<StreamEvent, E | Failure<Watch>> =
        generation === undefined ? begin() : rpc["generations.watch"]({ id: generation, after: seq })
      return source.pipe(
        // Every connection begins with one.
        Stream.filter((event) => !(resumed && event.type === "start")),
        Stream.tap((event) => Effect.sync(() => note(event))),
        Stream.catch((error) => again(error))
      )
    }
    return connection()
  })

/** A failure that says nothing about the call: nobody answered, or a server that is not there for a moment. */
const isPassing = ({ _tag }: { readonly _tag: string }): boolean => _tag === "RpcClientError" || _tag === "Unavailable"
