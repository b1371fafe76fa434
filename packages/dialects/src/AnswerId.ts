/** An answer's id in a dialect: a prefix and the 32 hexadecimal digits of the generation's UUID. */
export const answerId = (prefix: string, generationId: string): string =>
  `${prefix}${generationId.replaceAll("-", "").toLowerCase()}`

/** The UUID of the generation in such an id, or undefined. */
export const generationIdOf = (prefix: string, id: string): string | undefined => {
  if (!id.startsWith(prefix)) return undefined
  const digits = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/iu.exec(id.slice(prefix.length))
  return digits === null ? undefined : digits.slice(1).join("-").toLowerCase()
}
