/** Rows per page by default. */
export const DEFAULT_PAGE = 50
