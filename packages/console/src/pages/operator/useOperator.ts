import type { OperatorClient } from "@llm-saas/client/plain/OperatorClient"
import { useSyncExternalStore } from "react"
import { operator, type OperatorState } from "./operator.ts"

/** Who is at the operator's pages, and again when it changes. */
export const useOperatorState = (): OperatorState => useSyncExternalStore(operator.subscribe, () => operator.state)

/** The client of a page that only operators see. */
export const useOperator = (): OperatorClient => {
  const state = useOperatorState()
  if (state.kind !== "in") throw new Error("This page is for operators with a token.")
  return state.client
}
