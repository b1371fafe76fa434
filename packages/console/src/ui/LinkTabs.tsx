import { Link, type LinkProps } from "@tanstack/react-router"

interface Tab {
  readonly to: NonNullable<LinkProps["to"]>
  readonly label: string
}

/** Pages beside each other. Each has an address of its own: they are links, not a widget. */
export const LinkTabs = ({ label, tabs }: { readonly label: string; readonly tabs: ReadonlyArray<Tab> }) => (
  <nav className="tabs-list" aria-label={label}>
    {tabs.map((tab) => (
      <Link key={tab.label} to={tab.to} className="tab" activeOptions={{ exact: true }}>
        {tab.label}
      </Link>
    ))}
  </nav>
)
