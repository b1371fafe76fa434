// `npm run openapi`: the contract as a document, and the plain client's types from it. Both are kept in git, so that every change of the
// contract shows in a diff.
import { OpenApi } from "effect/http-api"
import { writeFileSync } from "node:fs"
import { Api } from "../packages/api/src/Api.ts"
import { clientTypes } from "./client-types.mjs"

const document = JSON.parse(JSON.stringify(OpenApi.fromApi(Api)))
write("packages/api/openapi.json", `${JSON.stringify(document, null, 2)}\n`)
write("packages/client/src/plain/Schemas.ts", clientTypes(document))

function write(path, text) {
  writeFileSync(new URL(`../${path}`, import.meta.url), text)
  console.log(path)
}
