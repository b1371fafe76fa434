import type { Asked } from "@llm-saas/engine/generations/Generations"

/**
 * A problem's text with what the provider says is wrong with the request, for doors whose clients know its words. Our own answers never have
 * it, and it is not stored: who asks again by key gets our words.
 */
export const withUpstream = (problem: string, { tokenLog }: Asked): string => {
  const ending = tokenLog.ended?.ending
  const said = ending?.status === "failed" ? ending.said : undefined
  return said === undefined ? problem : `${problem.slice(0, -1)},"said":${JSON.stringify(said)}}`
}
