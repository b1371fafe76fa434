/** Rows of a page where the client does not say how many. */
export const DEFAULT_PAGE = 50
