import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { load, type LoadOptions, type LoadResult } from "./Load.ts"

// A load whose latencies are measured in a process of its own: beside thousands of events a second that are read here, they would be ours.

const self = fileURLToPath(import.meta.url)

/** As {@link load}, in another process. */
export const loadApart = (options: LoadOptions): Promise<LoadResult> =>
  new Promise((resolve, reject) => {
    const child = fork(self, ["measure"], { serialization: "advanced" })
    child.once("message", (result: LoadResult) => resolve(result))
    child.once("exit", (code) => reject(new Error(`the load ended with ${code}`)))
    child.send(options)
  })

if (process.argv[2] === "measure")
  process.once("message", (options: LoadOptions) =>
    load(options).then((result) => process.send?.(result, () => process.exit(0)))
  )
