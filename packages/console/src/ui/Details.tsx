import "./details.css"

/** Members of an event, by name, as they are. Nothing: a dash. */
export const Details = ({ values }: { readonly values: Readonly<Record<string, unknown>> }) => {
  const entries = Object.entries(values)
  if (entries.length === 0) return <>–</>
  return (
    <dl className="details">
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name.replaceAll("_", " ")}</dt>
          <dd>{textOf(value)}</dd>
        </div>
      ))}
    </dl>
  )
}

const textOf = (value: unknown): string => {
  if (value === null) return "none"
  if (typeof value === "boolean") return value ? "yes" : "no"
  if (typeof value === "string" || typeof value === "number") return String(value)
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value.join(", ") || "none"
  return JSON.stringify(value)
}
