/** How often (ms) what is left is asked for again while it is looked at. */
export const REFRESH_MS = 5000
