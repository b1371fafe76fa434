import * as Databases from "@llm-saas/database/backup/Databases"
import { makeOneTimeToken } from "@llm-saas/domain/OneTimeTokenText"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { createHmac } from "node:crypto"
import { SECRET_KEY } from "./Running.ts"

/** The token of the newest link that was mailed to an address: as the process that sends the mail makes it, by its secret key. */
export const linkTo = Effect.fnUntraced(function* (address: string) {
  const { adminUrl } = yield* TestDatabase
  const { rows } = yield* Databases.execute(
    adminUrl,
    `select id from app.one_time_tokens where address = '${address}' order by id desc limit 1`
  )
  const id = rows[0]?.["id"]
  if (typeof id !== "string") return yield* Effect.die(new Error(`no link was mailed to ${address}`))
  const key = createHmac("sha256", SECRET_KEY).update("one-time tokens").digest()
  return makeOneTimeToken(createHmac("sha256", key).update(`mail ${id}`).digest())
})
