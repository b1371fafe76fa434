/** A request's position in the caller's distributed trace. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits: the caller's span. */
  readonly parentSpanId: string
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/u

/** Reads a `traceparent` header (https://www.w3.org/TR/trace-context/). An invalid one is ignored, as the standard requires. */
export const parseTraceparent = (header: string | undefined): TraceContext | undefined => {
  const [, version, traceId = "", parentSpanId = "", rest] = TRACEPARENT.exec(header?.trim() ?? "") ?? []
  if (version === undefined || version === "ff" || (version === "00" && rest !== undefined)) return undefined
  return /^0+$/u.test(traceId) || /^0+$/u.test(parentSpanId) ? undefined : { traceId, parentSpanId }
}
