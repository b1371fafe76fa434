import { DropdownMenu } from "radix-ui"
import type { ReactNode } from "react"

interface Props {
  /** What opens it. */
  readonly trigger: ReactNode
  readonly children: ReactNode
}

/** A menu of actions. Not modal: Radix's scroll lock writes a `<style>` into the page, which the Content-Security-Policy refuses. */
export const Menu = ({ children, trigger }: Props) => (
  <DropdownMenu.Root modal={false}>
    <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
    <DropdownMenu.Portal>
      <DropdownMenu.Content className="menu" align="start" sideOffset={4} collisionPadding={8}>
        {children}
      </DropdownMenu.Content>
    </DropdownMenu.Portal>
  </DropdownMenu.Root>
)

export const MenuItem = ({
  children,
  danger = false,
  onSelect
}: {
  readonly children: ReactNode
  readonly danger?: boolean
  readonly onSelect: () => void
}) => (
  <DropdownMenu.Item className={danger ? "menu-item danger" : "menu-item"} onSelect={onSelect}>
    {children}
  </DropdownMenu.Item>
)
