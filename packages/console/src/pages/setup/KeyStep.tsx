import { useMutation } from "@tanstack/react-query"
import { client } from "../../session/session.ts"
import { Button } from "../../ui/Button.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { KeyUses } from "../keys/KeyUses.tsx"

interface Props {
  /** The id of the key that was made before the page was reloaded. */
  readonly made: string | undefined
  readonly onMade: (id: string) => void
  readonly onEnd: () => void
}

/** An API key, and lines that work with it as they are. */
export const KeyStep = ({ made, onEnd, onMade }: Props) => {
  const making = useMutation({
    // Where the secret was shown already, the same key gets another.
    mutationFn: () =>
      made === undefined
        ? client.keys.create({ name: "first key", scopes: ["chat", "messages:read"] })
        : client.keys.rotate(made),
    onSuccess: ({ id }) => onMade(id)
  })
  const secret = making.data?.key ?? undefined
  return (
    <div className="stack">
      <div className="card stack">
        {making.data === undefined || secret === undefined ? (
          <>
            <p className="soft">
              Programs have no login: they send a key. The SDKs of OpenAI and Anthropic work with it as they are.
            </p>
            {made === undefined ? null : (
              <p>The key was made, and its secret was shown. If it was lost, make another.</p>
            )}
            {making.isError ? <Failure error={making.error} /> : null}
            <div className="row">
              <Button look="primary" busy={making.isPending} onClick={() => making.mutate()}>
                {made === undefined ? "Make a key" : "Show a new secret"}
              </Button>
            </div>
          </>
        ) : (
          <KeyUses made={making.data} secret={secret} />
        )}
      </div>
      <div className="row">
        <Button look={secret === undefined ? "plain" : "primary"} onClick={onEnd}>
          {secret === undefined ? "Skip: open the console" : "Open the console"}
        </Button>
      </div>
    </div>
  )
}
