/** A name as an SQL identifier, in double quotes: it keeps its case, and may contain any character. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
