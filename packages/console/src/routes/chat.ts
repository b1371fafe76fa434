/** Pages of conversations. */
export const chatRoutes = [] as const
