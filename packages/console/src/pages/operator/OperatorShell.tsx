import type { OperatorToken } from "@llm-saas/client"
import { Link, useLocation } from "@tanstack/react-router"
import { type ReactNode, useState } from "react"
import { SERVER_URL } from "../../Place.ts"
import { ThemeItems } from "../../shell/ThemeItems.tsx"
import { Button } from "../../ui/Button.tsx"
import { ago, moment } from "../../ui/format.ts"
import { Menu } from "../../ui/Menu.tsx"
import { operator } from "./operator.ts"

/** The frame of the operator's pages: as a user's, with other pages and no tenant. */
export const OperatorShell = ({ children, token }: { readonly token: OperatorToken; readonly children: ReactNode }) => {
  const { pathname } = useLocation()
  const [openAt, setOpenAt] = useState<string>()
  const open = openAt === pathname
  return (
    <div className="shell">
      <a className="visually-hidden" href="#content">
        Skip to the page
      </a>
      <header className="topbar">
        <Button
          look="plain"
          aria-expanded={open}
          aria-controls="sidebar"
          onClick={() => setOpenAt(open ? undefined : pathname)}
        >
          Menu
        </Button>
        <strong className="grow">Operator</strong>
      </header>
      <aside className="sidebar" id="sidebar" data-open={open} aria-label="Operator">
        <div className="brand">Operator</div>
        <nav className="nav" aria-label="Pages">
          <Link to="/operator/tenants">Tenants</Link>
          <Link to="/operator/plans">Plans</Link>
          <Link to="/operator/prices">Prices</Link>
          <Link to="/operator/usage">Usage</Link>
          <Link to="/operator/health">Health</Link>
          <Link to="/operator/events">Events</Link>
          <h2>More</h2>
          <Link to="/">Users' console</Link>
          <a href={`${SERVER_URL}/docs`}>API documentation</a>
        </nav>
        <div className="grow" />
        <div className="stack tight">
          <div className="small soft">
            Token “{token.name}”
            {token.expires_at === null ? null : (
              <>
                , ends{" "}
                <time dateTime={token.expires_at} title={moment(token.expires_at)}>
                  {ago(token.expires_at)}
                </time>
              </>
            )}
          </div>
          <div className="row">
            <Button onClick={() => operator.forget()}>Forget the token</Button>
            <Menu trigger={<Button look="plain">Colours</Button>}>
              <ThemeItems />
            </Menu>
          </div>
        </div>
      </aside>
      <main className="content" id="content" tabIndex={-1}>
        {children}
      </main>
    </div>
  )
}
