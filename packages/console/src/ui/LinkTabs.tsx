import { Link, type LinkProps } from "@tanstack/react-router"
import { useEffect, useRef } from "react"

interface Tab {
  readonly to: NonNullable<LinkProps["to"]>
  readonly label: string
}

/** Pages beside each other. Each has an address of its own: they are links, not a widget. */
export const LinkTabs = ({ label, tabs }: { readonly label: string; readonly tabs: ReadonlyArray<Tab> }) => {
  const list = useRef<HTMLElement>(null)
  // On a phone there may be more of them than fit.
  useEffect(() => {
    list.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" })
  }, [])
  return (
    <nav className="tabs-list" aria-label={label} ref={list}>
      {tabs.map((tab) => (
        <Link key={tab.label} to={tab.to} className="tab" activeOptions={{ exact: true }}>
          {tab.label}
        </Link>
      ))}
    </nav>
  )
}
