import { Api } from "@llm-saas/api/Api"
import { OpenApi } from "effect/http-api"

/** The statuses of every operation in the document, by method and a pattern of its path. */
const operations = Object.entries(OpenApi.fromApi(Api).paths).flatMap(([path, item]) =>
  (["get", "post", "put", "patch", "delete"] as const).flatMap((method) => {
    const statuses = item[method]?.responses
    return statuses === undefined
      ? []
      : [
          {
            method: method.toUpperCase(),
            literal: !path.includes("{"),
            path: new RegExp(`^${path.replaceAll(/\{[^}]*\}/gu, "[^/]+")}$`, "u"),
            statuses: new Set(Object.keys(statuses).map(Number))
          }
        ]
  })
)

/** Fails unless the document has this answer's status; requests that it does not describe pass. */
export const documented = (method: string, target: string, status: number): void => {
  const path = target.split("?")[0] ?? ""
  const matching = operations.filter((each) => each.method === method && each.path.test(path))
  const operation = matching.find(({ literal }) => literal) ?? matching[0]
  if (operation !== undefined && !operation.statuses.has(status))
    throw new Error(`${method} ${path}: ${status} is not in openapi.json`)
}
