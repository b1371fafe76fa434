import { useQuery } from "@tanstack/react-query"
import { client } from "../../session/session.ts"

interface Props {
  /** Null: the installation's default. */
  readonly model: string | null
  readonly disabled?: boolean
  readonly onChoose: (model: string | null) => void
}

/** Which model answers the next questions of the conversation. */
export const ModelChoice = ({ disabled = false, model, onChoose }: Props) => {
  const models = useQuery({
    queryKey: ["models"],
    queryFn: ({ signal }) => client.models({ signal }),
    staleTime: 300_000
  })
  const names = (models.data ?? []).map(({ id }) => id)
  const isGone = model !== null && models.isSuccess && !names.includes(model)
  return (
    <label className="model-choice">
      <span className="visually-hidden">Model</span>
      <select
        className="input"
        disabled={disabled}
        value={model ?? ""}
        onChange={(event) => onChoose(event.target.value === "" ? null : event.target.value)}
      >
        <option value="">Default model</option>
        {model !== null && !names.includes(model) ? (
          <option value={model}>{isGone ? `${model} (not there any more)` : model}</option>
        ) : null}
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}
