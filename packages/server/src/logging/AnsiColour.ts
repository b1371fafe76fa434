const CODES: Readonly<Record<string, number>> = { dim: 2, error: 31, warning: 33, info: 32, debug: 34, trace: 34 }

/** Colours the text for a terminal that supports it. */
export const paint = (colour: boolean, style: string, text: string): string =>
  colour ? `\u001b[${CODES[style] ?? 0}m${text}\u001b[0m` : text
