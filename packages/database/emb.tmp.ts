import * as EP from "/work/main/packages/database/src/EmbeddedPostgres.ts"
import { Effect, Redacted } from "effect"
const dir = process.argv[2]
const t=performance.now()
const prog = Effect.scoped(Effect.gen(function*(){
  const pg = yield* EP.make(dir? {directory: dir}: {})
  console.log("up", Math.round(performance.now()-t), Redacted.value(pg.url), pg.dataDir)
  yield* Effect.sleep(Number(process.argv[3] ?? 100))
}))
const t0 = performance.now()
await Effect.runPromise(prog).catch(e=>console.log("FAIL", e))
console.log("total", Math.round(performance.now()-t0))
