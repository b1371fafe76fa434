// `npm run openapi`: the contract as a document, kept in git, so that every change of it shows in a diff.
import { OpenApi } from "effect/http-api"
import { writeFileSync } from "node:fs"
import { Api } from "../packages/api/src/Api.ts"

const path = new URL("../packages/api/openapi.json", import.meta.url)
writeFileSync(path, `${JSON.stringify(OpenApi.fromApi(Api), null, 2)}\n`)
console.log("packages/api/openapi.json")
