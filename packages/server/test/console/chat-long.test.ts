import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { noBrowser } from "../client/Browser.ts"
import { Running } from "../Running.ts"
import { chatter } from "./Chat.ts"
import { consoleServer } from "./ConsoleServer.ts"

/** The most of one core that the page's own thread may take for 1,000 tokens a second; 14 to 33 % were measured for twice as many. */
const MOST_OF_A_CORE = 0.5

const section = (n: number) =>
  `## Section ${n}\n\nA paragraph with **bold** text and \`code\` in it.\n\n- one\n- two\n\n`
  + (n % 3 === 0 ? "```ts\nconst x = 1 // a comment\n```\n\n" : "")

layer(consoleServer({ PROMPT_MAX_CHARACTERS: "1000000", MOCK_TTFT_MS: "0" }), {
  timeout: "240 seconds",
  excludeTestServices: true
})("a long chat in the console", (it) => {
  it.effect.skipIf(noBrowser)("streams 1,000 tokens a second with half of its thread's time left", () =>
    Effect.gen(function* () {
      const { address, ask, context, messages, page } = yield* chatter()
      yield* Effect.promise(() => page.goto(`${address}/chat`))
      const debug = yield* Effect.promise(() => context.newCDPSession(page))
      // The thread's own time: other work of the machine does not count.
      yield* Effect.promise(() => debug.send("Performance.enable", { timeDomain: "threadTicks" }))
      const seconds = Effect.promise(async () => {
        const { metrics } = await debug.send("Performance.getMetrics")
        return metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN
      })
      const text = Array.from({ length: 300 }, (_, n) => section(n)).join("")
      const say = text.match(/[^]{1,6}/gu) ?? []
      const isUnderWay = (wanted: boolean) =>
        Effect.promise(() => page.locator(".composer .send").waitFor({ state: wanted ? "detached" : "attached" }))
      yield* ask(`[[mock ${JSON.stringify({ say, delay: 1 })}]]`)
      yield* isUnderWay(true)
      const before = yield* seconds
      yield* isUnderWay(false)
      const taken = (yield* seconds) - before
      const [message] = yield* messages
      assert.strictEqual(message?.["response"], text)
      const latency = Number(message?.["latency_ms"])
      const share = taken / (latency / 1000)
      console.info(`${say.length} tokens in ${latency} ms, ${Math.round(share * 100)} % of a core`)
      assert.isBelow(share, MOST_OF_A_CORE)
      assert.strictEqual(yield* Effect.promise(() => page.locator(".answer-text h4").count()), 300)
    })
  )

  it.effect.skipIf(noBrowser)(
    "is read back to its beginning, keeps few messages in the page, and finds one again",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { address, page, token } = yield* chatter()
        const made = yield* send("POST", "/conversations", { token, json: { title: "Long" } })
        const conversation_id = String(made.body["id"])
        for (let n = 1; n <= 120; n++) {
          const content = `Question ${n}. ${n === 7 ? "Haystack" : ""} [[mock {"tokens": ${20 + (n % 7) * 40}, "delay": 0}]]`
          assert.strictEqual(
            (yield* send("POST", "/messages", { token, json: { content, conversation_id } })).status,
            201
          )
        }
        yield* Effect.promise(() => page.goto(`${address}/chat/${conversation_id}`))
        const question = (n: number) =>
          page.locator(".question-text").filter({ hasText: new RegExp(`^Question ${n}\\.`, "u") })
        const isSeen = (n: number) =>
          Effect.promise(async () => {
            await question(n).waitFor()
            const [box, frame] = [await question(n).boundingBox(), await page.locator(".messages-scroll").boundingBox()]
            return box !== null && frame !== null && box.y + box.height > frame.y && box.y < frame.y + frame.height
          })
        yield* Effect.promise(() => question(120).waitFor())
        yield* Effect.promise(() => page.locator(".messages-scroll").hover())
        let most = 0
        for (let turns = 0; (yield* Effect.promise(() => question(1).count())) === 0; turns++) {
          assert.isBelow(turns, 2000)
          yield* Effect.promise(async () => {
            await page.mouse.wheel(0, -500)
            most = Math.max(most, await page.locator(".turn").count())
          })
        }
        assert.isBelow(most, 40)
        yield* Effect.promise(() => page.getByRole("button", { name: "To the newest" }).click())
        assert.isTrue(yield* isSeen(120))
        yield* Effect.promise(() => page.getByRole("searchbox").fill("hAYSTACK"))
        yield* Effect.promise(() => page.locator("mark").filter({ hasText: "Haystack" }).click())
        assert.isTrue(yield* isSeen(7))
      })
  )
})
