import type { OperatorTenant } from "@llm-saas/client"

const LOOKS = { active: "good", suspended: "warn", erased: "bad" } as const

/** A tenant's status as a badge. */
export const TenantStatus = ({ status }: Pick<OperatorTenant, "status">) => (
  <span className={`badge ${LOOKS[status]}`}>{status}</span>
)
