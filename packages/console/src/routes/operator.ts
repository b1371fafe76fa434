/** Pages of the operator, who has a token of their own. */
export const operatorRoutes = [] as const
