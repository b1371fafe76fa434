import { useEffect, useRef, useState } from "react"

/** Milliseconds without a key after which is looked. */
const PAUSE_MS = 300
const SHORTEST = 2

interface Props {
  /** Undefined: there is nothing to look for. */
  readonly onSearch: (text: string | undefined) => void
}

/** Where one writes what to look for in one's own history. */
export const SearchField = ({ onSearch }: Props) => {
  const [text, setText] = useState("")
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  const look = (next: string) => {
    const trimmed = next.trim()
    onSearch([...trimmed].length < SHORTEST ? undefined : trimmed)
  }
  return (
    <form
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        clearTimeout(timer.current)
        look(text)
      }}
    >
      <input
        type="search"
        className="input"
        aria-label="Search your history"
        placeholder="Search"
        maxLength={200}
        value={text}
        onChange={(event) => {
          const next = event.target.value
          setText(next)
          clearTimeout(timer.current)
          timer.current = setTimeout(() => look(next), PAUSE_MS)
        }}
      />
    </form>
  )
}
