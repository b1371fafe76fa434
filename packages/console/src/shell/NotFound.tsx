import { Link } from "@tanstack/react-router"
import { Empty } from "../ui/Empty.tsx"

/** An address that is none of the console's. */
export const NotFound = () => (
  <div className="page">
    <Empty title="There is no such page">
      <Link to="/" className="button">
        To the start
      </Link>
    </Empty>
  </div>
)
