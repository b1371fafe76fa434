import type { LiveAnswer } from "../../chat/LiveAnswer.ts"
import { Failure } from "../../ui/Failure.tsx"

/** What an answer under way is doing. Its reader, `Turn`, is told of changes. */
export const LiveState = ({ live }: { readonly live: LiveAnswer }) => {
  const { blocks, connection, stopFailure, stopping } = live
  const isEmpty = blocks.open === undefined && blocks.groups[0]?.length === 0
  return (
    <>
      {connection === "lost" ? (
        <div className="note warn" role="status">
          Connection lost, trying again. The answer goes on meanwhile, and nothing of it is lost.
        </div>
      ) : isEmpty || stopping ? (
        <div className="row soft small">
          <span className="spinner" aria-hidden="true" />
          {stopping ? "Stopping" : live.reasoning === "" ? "Waiting for the first word" : "Thinking"}
        </div>
      ) : (
        <span className="caret" aria-hidden="true" />
      )}
      {stopFailure === undefined ? null : <Failure error={stopFailure} />}
    </>
  )
}
