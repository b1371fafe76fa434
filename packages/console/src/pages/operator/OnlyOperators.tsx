import { QueryClientProvider } from "@tanstack/react-query"
import { Outlet } from "@tanstack/react-router"
import { useEffect } from "react"
import { Loading } from "../../ui/Loading.tsx"
import { operator, operatorQueries } from "./operator.ts"
import { OperatorLogin } from "./OperatorLogin.tsx"
import { OperatorShell } from "./OperatorShell.tsx"
import { useOperatorState } from "./useOperator.ts"

/** The page in its frame for who has an operator's token; for anybody else a place to give one. */
export const OnlyOperators = () => {
  const state = useOperatorState()
  useEffect(() => void operator.start(), [])
  if (state.kind === "starting") return <Loading />
  return (
    <QueryClientProvider client={operatorQueries}>
      {state.kind === "in" ? (
        <OperatorShell token={state.token}>
          <Outlet />
        </OperatorShell>
      ) : (
        <OperatorLogin state={state} />
      )}
    </QueryClientProvider>
  )
}
