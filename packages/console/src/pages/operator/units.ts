import type { AddPrice } from "@llm-saas/client"

/** What is paid for, as prices name it, in words. */
export const UNITS: ReadonlyArray<readonly [AddPrice["unit"], string]> = [
  ["input", "Input tokens"],
  ["cache_read", "Input tokens read from a cache"],
  ["cache_write", "Input tokens written to a cache"],
  ["cache_write_1h", "Input tokens written to a cache for an hour"],
  ["input_audio", "Input tokens of sound"],
  ["input_image", "Input tokens of images"],
  ["output", "Output tokens"],
  ["reasoning", "Reasoning tokens"],
  ["output_audio", "Output tokens of sound"],
  ["searches", "Searches"],
  ["requests", "Calls"]
]

export const unitText = (unit: AddPrice["unit"]): string => UNITS.find(([each]) => each === unit)?.[1] ?? unit
