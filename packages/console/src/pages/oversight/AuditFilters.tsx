import { useNavigate } from "@tanstack/react-router"
import { useId, useState } from "react"
import { useProfile } from "../../session/useSession.ts"
import { Button } from "../../ui/Button.tsx"
import { Choice, Field } from "../../ui/Field.tsx"
import { usePeople } from "../usage/names.ts"
import { type AuditSearch, isId } from "./auditSearch.ts"
import { KINDS, typesOf, typeText } from "./auditTypes.ts"

/** Which events: what is chosen stands in the address, so that it can be sent to a colleague. */
export const AuditFilters = ({ search }: { readonly search: AuditSearch }) => {
  const navigate = useNavigate({ from: "/admin/audit" })
  const { tenant_id } = useProfile()
  const people = usePeople(tenant_id, true)
  const list = useId()
  const [draft, setDraft] = useState({ from: search.from ?? "", to: search.to ?? "" })
  // What was typed; undefined: as the address has it, by name once that is known.
  const [typed, setTyped] = useState<string>()
  const who = typed ?? (search.actor === undefined ? "" : (people.get(search.actor) ?? search.actor))
  const actor = idOf(who.trim(), people)
  const wrongWho = actor === undefined ? "No user or service account is called so. An id will do too." : undefined
  const wrongDays =
    draft.from !== "" && draft.to !== "" && draft.to < draft.from ? "It is before the first day." : undefined
  return (
    <form
      className="filters"
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        if (actor === undefined || wrongDays !== undefined) return
        const { from, to } = draft
        void navigate({
          search: ({ subject, type }) => ({
            ...(type && { type }),
            ...(subject && { subject }),
            ...(actor && { actor }),
            ...(from && { from }),
            ...(to && { to })
          })
        })
      }}
    >
      <Choice
        label="What"
        value={search.type ?? ""}
        onChange={({ target }) =>
          void navigate({
            search: ({ type: _, ...rest }) => ({ ...rest, ...(target.value && { type: target.value }) })
          })
        }
      >
        <option value="">Everything</option>
        {KINDS.map(([kind, title]) => (
          <optgroup key={kind} label={title}>
            <option value={kind}>{title}: all</option>
            {typesOf(kind).map((type) => (
              <option key={type} value={type}>
                {typeText(type)}
              </option>
            ))}
          </optgroup>
        ))}
        {search.type === undefined || isListed(search.type) ? null : (
          <option value={search.type}>{typeText(search.type)}</option>
        )}
      </Choice>
      <Field
        label="Who"
        type="text"
        list={list}
        placeholder="Anybody"
        autoComplete="off"
        value={who}
        wrong={typed === undefined ? undefined : wrongWho}
        onChange={({ target }) => setTyped(target.value)}
      />
      <datalist id={list}>
        {[...people].map(([id, name]) => (
          <option key={id} value={name}>
            {name}
          </option>
        ))}
      </datalist>
      <Field
        label="First day (UTC)"
        type="date"
        value={draft.from}
        onChange={({ target }) => setDraft({ ...draft, from: target.value })}
      />
      <Field
        label="Last day (UTC)"
        type="date"
        value={draft.to}
        wrong={wrongDays}
        onChange={({ target }) => setDraft({ ...draft, to: target.value })}
      />
      <Button type="submit">Show</Button>
      {Object.keys(search).length === 0 ? null : (
        <Button look="plain" onClick={() => void navigate({ search: {} })}>
          Show all
        </Button>
      )}
    </form>
  )
}

const isListed = (type: string) => KINDS.some(([kind]) => kind === type || typesOf(kind).includes(type))

/** The id that a name is of; empty for nothing, undefined for a name that nobody has. */
const idOf = (who: string, people: ReadonlyMap<string, string>): string | undefined => {
  if (who === "" || isId(who)) return who
  return [...people].find(([, name]) => name.toLowerCase() === who.toLowerCase())?.[0]
}
