/** Pages of a tenant's admins. */
export const adminRoutes = [] as const
