import { problem, type ProblemCode, PROBLEMS } from "@llm-saas/domain/Problem"
import { Effect, Layer } from "effect"
import { HttpRouter } from "effect/http"
import { escape, readable } from "./HtmlPage.ts"
import type { Route } from "./RouteTable.ts"

const METHODS = ["GET", "HEAD"]
const CODES = Object.keys(PROBLEMS).filter((code): code is ProblemCode => code in PROBLEMS)

/** The pages of problems: the list, and one page per code. */
export const PROBLEM_PAGES: ReadonlyArray<Route> = [
  { path: "/problems", methods: METHODS },
  ...CODES.map((code): Route => ({ path: problem(code).type, methods: METHODS }))
]

/** The pages that a problem's `type` links to: what it means, and what to do. HTML for users, JSON for programs. */
export const ProblemsLayer = Layer.effectDiscard(
  Effect.gen(function* () {
    const router = yield* HttpRouter.HttpRouter
    const list = CODES.map(about)
    yield* router.add(
      "GET",
      "/problems",
      yield* readable(
        { data: list },
        { title: "Problems", body: `<h1>Problems</h1><dl>${list.map(entry).join("")}</dl>` }
      )
    )
    for (const each of list)
      yield* router.add("GET", each.type, yield* readable(each, { title: each.title, body: body(each) }))
  })
)

const about = (code: ProblemCode) => ({
  code,
  ...problem(code),
  detail: PROBLEMS[code].detail,
  help: PROBLEMS[code].help
})

type About = ReturnType<typeof about>

const entry = ({ code, status, title, type }: About): string =>
  `<dt><a href="${type}"><code>${code}</code></a></dt><dd>${status} · ${escape(title)}</dd>`

const body = ({ code, detail, help, status, title }: About): string =>
  `<h1>${escape(title)}</h1><p>Status ${status}, code <code>${code}</code></p><p>${escape(detail)}</p><p>${escape(help)}</p><p><a href="/problems">All problems</a></p>`
