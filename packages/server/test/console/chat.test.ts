import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { noBrowser } from "../client/Browser.ts"
import { Running } from "../Running.ts"
import { chatter, spaced, way, words } from "./Chat.ts"
import { consoleServer } from "./ConsoleServer.ts"
import { barriers } from "./Person.ts"

const PRICED = { LLM_PRICE_INPUT_PER_MILLION: "2.5", LLM_PRICE_OUTPUT_PER_MILLION: "10", MOCK_TTFT_MS: "0" }

/** What a stranger could have written into what the model repeats. Each piece loads or runs something where it is trusted. */
const HOSTILE = [
  "<script>window.ran = 1</script>\n\n<img src=x onerror='window.ran = 2'>\n\n<svg onload='window.ran = 3'>\n\n",
  "![a picture](https://evil.example/pixel.png?secret=1) ![](data:image/svg+xml;base64,PHN2Zz4=)\n\n",
  "[script](javascript:window.ran=4) [data](data:text/html,<script>window.ran=5</script>) [v](vbscript:x)\n\n",
  "[ours](/console/account) [relative](../keys) [name](https://bank.example@evil.example/) <https://auto.example/x>\n\n",
  "[fine](https://fine.example/page) [mail](mailto:someone@fine.example)\n\n",
  '<iframe src="https://evil.example/frame"></iframe><link rel=stylesheet href=https://evil.example/x.css>\n\n',
  "[ref]: https://evil.example/ref.png\n\n![ref]\n\n",
  "```html\n<script>window.ran = 6</script>\n```\n\n",
  `${">".repeat(3000)} deep\n\n${"- ".repeat(3000)}deeper\n\n${"[".repeat(3000)}\n\n${"*a **b ".repeat(1000)}\n\n`,
  "| a | b |\n|---|---|\n| ![x](https://evil.example/cell.png) | <style>*{display:none}</style> |\n\nThe end."
]

layer(consoleServer(PRICED), { timeout: "240 seconds", excludeTestServices: true })("a chat in the console", (it) => {
  it.effect.skipIf(noBrowser)(
    "goes on with the next token when its connection is cut and when its page is reloaded",
    () =>
      Effect.gen(function* () {
        const running = yield* Running
        const between = yield* way(running.port)
        const { address, answered, ask, faults, messages, page, says, shown } = yield* chatter().pipe(
          Effect.provideService(Running, { ...running, port: between.port })
        )
        const requests: Array<string> = []
        page.on("request", (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`))
        yield* Effect.promise(() => page.goto(`${address}/`))
        yield* ask(words(400, 20))
        yield* says(20)
        between.cut()
        yield* Effect.promise(() => page.getByText("Connection lost, trying again").waitFor())
        assert.strictEqual(yield* Effect.promise(() => page.getByRole("alert").count()), 0)
        between.mend()
        yield* Effect.promise(() => page.getByText("Connection lost, trying again").waitFor({ state: "detached" }))
        yield* says(150)
        yield* Effect.promise(() => page.reload())
        yield* Effect.promise(() => page.getByRole("button", { name: "Stop" }).waitFor())
        yield* answered
        const [message, ...others] = yield* messages
        const whole = Array.from({ length: 400 }, (_, n) => `w${n + 1}`).join(" ")
        assert.deepStrictEqual(
          [others.length, message?.["status"], spaced(message?.["response"])],
          [0, "completed", whole]
        )
        assert.strictEqual(yield* shown(), whole)
        assert.strictEqual(requests.filter((each) => each === "POST /messages/stream").length, 1)
        assert.strictEqual(yield* Effect.promise(() => page.getByText("not the whole answer").count()), 0)
        assert.deepStrictEqual([...faults], [])
      })
  )

  it.effect.skipIf(noBrowser)("is stopped by Escape, says so, and is asked again in its place", () =>
    Effect.gen(function* () {
      const { address, answered, ask, messages, page, says, shown } = yield* chatter()
      yield* Effect.promise(() => page.goto(`${address}/chat`))
      yield* ask(words(100, 50))
      yield* says(5)
      yield* Effect.promise(() => page.keyboard.press("Escape"))
      yield* answered
      const [stopped] = yield* messages
      assert.strictEqual(stopped?.["status"], "cancelled")
      assert.strictEqual(yield* shown(), spaced(stopped?.["response"]))
      yield* Effect.promise(() => page.locator("[data-ending='Stopped']").waitFor())
      yield* Effect.promise(() => page.getByRole("button", { name: "Ask again" }).click())
      yield* says(100)
      yield* answered
      const [again, ...others] = yield* messages
      assert.deepStrictEqual(
        [others.length, again?.["status"], again?.["content"]],
        [0, "completed", stopped?.["content"]]
      )
      assert.notStrictEqual(again?.["id"], stopped?.["id"])
      assert.strictEqual(yield* Effect.promise(() => page.locator("[data-ending]").count()), 0)
    })
  )

  it.effect.skipIf(noBrowser)("tells each end as it is, and shows none that failed as a good one", () =>
    Effect.gen(function* () {
      const { address, answered, ask, page } = yield* chatter()
      yield* Effect.promise(() => page.goto(`${address}/chat`))
      for (const [wish, ending] of [
        [{ tokens: 3, finish: "length" }, "Cut off"],
        [{ tokens: 3, finish: "content_filter" }, "Cut off by a content filter"],
        [{ tokens: 8, fault: "middle", delay: 100 }, "Failed before its end"],
        [{ fault: "before" }, "No answer"],
        [{ say: [] }, "Empty answer"]
      ] as const) {
        const before = yield* Effect.promise(() => page.locator("[data-ending]").count())
        yield* ask(`Why? [[mock ${JSON.stringify(wish)}]]`)
        yield* Effect.promise(() => page.locator("[data-ending]").nth(before).waitFor())
        yield* answered
        const said = yield* Effect.promise(() => page.locator("[data-ending]").last().getAttribute("data-ending"))
        assert.strictEqual(said, ending, JSON.stringify(wish))
      }
    })
  )

  it.effect.skipIf(noBrowser)("loads nothing and runs nothing of what a model says", () =>
    Effect.gen(function* () {
      const { address, answered, ask, faults, page, strangers } = yield* chatter()
      yield* Effect.promise(() => page.goto(`${address}/chat`))
      yield* ask(`[[mock ${JSON.stringify({ say: HOSTILE, delay: 20 })}]]`)
      yield* Effect.promise(() => page.getByText("The end.").last().waitFor())
      yield* answered
      const found = yield* Effect.promise(() =>
        page.evaluate<Readonly<Record<string, unknown>>>(`({
          ran: window.ran ?? null,
          loading: document.querySelectorAll(".answer :is(img, script, iframe, link, style, object, embed, video, audio, form)").length,
          links: [...document.querySelectorAll(".answer a")].map((a) => [a.href, a.rel]),
          ids: document.querySelectorAll(".answer-text [id]").length
        })`)
      )
      const rel = "noopener noreferrer nofollow"
      assert.deepStrictEqual(found, {
        ran: null,
        loading: 0,
        links: [
          ["https://evil.example/pixel.png?secret=1", rel],
          ["https://auto.example/x", rel],
          ["https://fine.example/page", rel],
          ["mailto:someone@fine.example", rel],
          ["https://evil.example/cell.png", rel]
        ],
        ids: 0
      })
      yield* Effect.promise(() => page.getByText("(fine.example)").waitFor())
      assert.deepStrictEqual([...strangers], [])
      assert.deepStrictEqual([...faults], [])
    })
  )

  it.effect.skipIf(noBrowser)("explains a budget that is used up, and keeps the question", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { address, ask, id, messages, page, token } = yield* chatter()
      const budget = { amount: "0.000001", period: "day" }
      assert.strictEqual((yield* send("PATCH", `/admin/users/${id}`, { token, json: { budget } })).status, 200)
      yield* Effect.promise(() => page.goto(`${address}/chat`))
      yield* ask("What does it cost?")
      const alert = page.getByRole("alert")
      yield* Effect.promise(() => alert.getByText("Your budget for today does not cover this question.").waitFor())
      const text = yield* Effect.promise(() => alert.innerText())
      assert.include(text, "$0.000001 of $0.000001 is left")
      assert.match(text, /begins anew on \w+ \d+, \d{4}/u)
      assert.strictEqual(
        yield* Effect.promise(() => page.getByLabel("Your question").inputValue()),
        "What does it cost?"
      )
      assert.deepStrictEqual(yield* messages, [])
    })
  )

  it.effect.skipIf(noBrowser)("keeps a question that could not be sent, over a reload too, and asks it once", () =>
    Effect.gen(function* () {
      const running = yield* Running
      const between = yield* way(running.port)
      const { address, answered, ask, messages, page } = yield* chatter().pipe(
        Effect.provideService(Running, { ...running, port: between.port })
      )
      yield* Effect.promise(() => page.goto(`${address}/chat`))
      yield* ask('[[mock {"tokens": 3}]] First')
      yield* answered
      between.cut()
      yield* ask('[[mock {"tokens": 3}]] Second')
      yield* Effect.promise(() => page.getByText("Connection lost, trying again").waitFor())
      between.mend()
      yield* Effect.promise(() => page.reload())
      const input = page.getByLabel("Your question")
      yield* Effect.promise(() => input.and(page.locator("textarea")).waitFor())
      assert.match(yield* Effect.promise(() => input.inputValue()), /Second$/u)
      yield* Effect.promise(() => input.press("Enter"))
      yield* Effect.promise(() => page.locator(".turn").nth(1).getByRole("button", { name: "Ask again" }).waitFor())
      assert.deepStrictEqual(
        (yield* messages).map(({ content }) => String(content).slice(-6)),
        ["Second", " First"]
      )
      assert.strictEqual(yield* Effect.promise(() => input.inputValue()), "")
    })
  )

  it.effect.skipIf(noBrowser)("has instructions and a model of its own, and answers that are rated", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { address, answered, ask, page, token } = yield* chatter()
      yield* Effect.promise(() => page.goto(`${address}/chat`))
      yield* ask('[[mock {"tokens": 3}]]')
      yield* answered
      yield* Effect.promise(async () => {
        await page.getByRole("button", { name: "Add instructions" }).click()
        await page.getByLabel("Instructions to the model").fill("Be brief.")
        await page.getByRole("button", { name: "Save" }).click()
        await page.getByRole("button", { name: "Instructions", exact: true }).waitFor()
        const changed = page.waitForResponse((response) => response.request().method() === "PATCH")
        await page.getByLabel("Model").selectOption("mock-1")
        await changed
      })
      const { body } = yield* send("GET", "/conversations", { token })
      assert.deepInclude(Object(body["data"])[0], { system: "Be brief.", model: "mock-1" })
      const sent = yield* Effect.promise(async () => {
        await page.getByRole("button", { name: "A bad answer" }).click()
        await page.getByRole("button", { name: "Say why" }).click()
        await page.getByLabel("Reason").fill("Too short.")
        const rated = page.waitForResponse((response) => response.url().endsWith("/feedback"))
        await page.locator("dialog[open]").getByRole("button", { name: "Send" }).click()
        return (await rated).json()
      })
      assert.deepInclude(sent, { rating: -1, comment: "Too short." })
      yield* Effect.promise(() => page.locator("dialog[open]").waitFor({ state: "detached" }))
    })
  )

  it.effect.skipIf(noBrowser)("does not exist at another tenant's address", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const alice = yield* chatter()
      const bob = yield* chatter()
      const theirs = yield* send("POST", "/conversations", { token: bob.token, json: { title: "Plans of Bob" } })
      const { page } = alice
      for (const id of [String(theirs.body["id"]), "01975a6f-2b41-7a08-bf3e-1c2d3e4f5a6b", "x"]) {
        yield* Effect.promise(() => page.goto(`${alice.address}/chat/${id}`))
        yield* Effect.promise(() => page.getByText("This conversation does not exist").waitFor())
        assert.strictEqual(yield* Effect.promise(() => page.getByText("Plans of Bob").count()), 0)
        assert.strictEqual(yield* Effect.promise(() => page.getByLabel("Your question").count()), 0)
      }
    })
  )

  it.effect.skipIf(noBrowser)("has no barriers, in light and dark, wide and narrow", () =>
    Effect.gen(function* () {
      for (const window of [{}, { dark: true, width: 390 }]) {
        const { address, answered, ask, page } = yield* chatter(window)
        yield* Effect.promise(() => page.goto(`${address}/chat`))
        yield* Effect.promise(() => page.getByLabel("Your question").waitFor())
        assert.deepStrictEqual(yield* barriers(page), [])
        const say = [
          "# A\n\n| a |\n|---|\n| 1 |\n\n```ts\nconst x = 1 // one\n```\n\n- [ ] b\n\n[l](https://l.example)\n"
        ]
        yield* ask(`[[mock ${JSON.stringify({ say, finish: "length" })}]]`)
        yield* answered
        yield* Effect.promise(() => page.locator(".hl-keyword").waitFor())
        assert.deepStrictEqual(yield* barriers(page), [])
      }
    })
  )
})
