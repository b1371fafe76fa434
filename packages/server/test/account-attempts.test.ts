import { assert, describe, it } from "@effect/vitest"
import { UserId } from "@llm-saas/domain/User"
import { randomUUID } from "node:crypto"
import { AccountAttempts } from "../src/auth/AccountAttempts.ts"

const MINUTE = 60_000
const LIMITS = { windowMs: 15 * MINUTE, perPair: 10, perEmail: 50, perAddress: 50, perWideAddress: 500 }
const account = () => UserId.make(randomUUID())
const accounts = (n: number) => Array.from({ length: n }, account)

/** Attempts, and a login of `email` from `address` whose password fits `fitting` of the accounts there are. */
const attempting = () => {
  const attempts = new AccountAttempts(LIMITS)
  let now = 0
  const login = (
    there: ReadonlyArray<UserId>,
    fitting: ReadonlyArray<UserId>,
    { address = "198.51.100.1", email = "victim", exact = false, wide = undefined as string | undefined } = {}
  ) => {
    const one = attempts.login({ email, client: { narrow: address, wide }, exact, now: () => now })
    const tried = one.attempts.begin(there)
    const told = one.attempts.end(fitting.filter((each) => tried.has(each)))
    one.close(false)
    return { tried, told }
  }
  return { attempts, login, pass: (ms: number) => void (now += ms) }
}

describe("with an account of the victim's email in a tenant of one's own", () => {
  it("ten guesses are let through, and then the victim's account is left out, whatever is guessed", () => {
    const { login, pass } = attempting()
    const [own, victim] = [account(), account()]
    const guesses = Array.from({ length: 100 }, () => login([own, victim], [own]))
    assert.strictEqual(guesses.filter(({ tried }) => tried.has(victim)).length, 10)
    assert.isTrue(guesses.every(({ told }) => told.has(own) && told.size === 1))
    const right = login([own, victim], [own, victim])
    assert.deepStrictEqual([...right.tried], [own])
    assert.deepStrictEqual([...right.told], [own])
    // Failures leak away as everywhere: fifteen minutes for ten.
    pass(90_000)
    assert.isTrue(login([own, victim], [own]).tried.has(victim))
    assert.isFalse(login([own, victim], [own]).tried.has(victim))
  })

  it("guesses at once are not all let through", () => {
    const { attempts } = attempting()
    const [own, victim] = [account(), account()]
    const from = { email: "victim", client: { narrow: "198.51.100.1", wide: undefined }, exact: false, now: () => 0 }
    const logins = Array.from({ length: 100 }, () => attempts.login(from))
    const tried = logins.filter((login) => login.attempts.begin([own, victim]).has(victim))
    assert.strictEqual(tried.length, 10)
  })

  it("one whose client left before the answer has failed, and one that we could not finish has not", () => {
    const { attempts, login } = attempting()
    const victim = account()
    const from = { email: "victim", client: { narrow: "198.51.100.1", wide: undefined }, exact: false, now: () => 0 }
    const cut = (left: boolean) => {
      const one = attempts.login(from)
      one.attempts.begin([victim])
      one.close(left)
    }
    for (let n = 0; n < 20; n++) cut(false)
    for (let n = 0; n < 9; n++) cut(true)
    assert.isTrue(login([victim], []).tried.has(victim))
    assert.isFalse(login([victim], []).tried.has(victim))
  })

  it("guesses from many addresses have one each, once there were fifty", () => {
    const { login } = attempting()
    const [own, victim] = [account(), account()]
    const let_through = (round: number) =>
      Array.from({ length: 100 }, (_, n) =>
        Array.from({ length: 3 }, () => login([own, victim], [own], { address: `198.18.${round}.${n}` }))
      )
        .flat()
        .filter(({ tried }) => tried.has(victim)).length
    assert.isAtMost(let_through(0), 50 + 100)
    assert.strictEqual(let_through(1), 100)
    assert.isTrue(login([own, victim], [victim], { address: "192.0.2.1" }).told.has(victim), "the owner")
  })

  it("guesses at many emails from one address are told no more than guesses at one", () => {
    const { login } = attempting()
    for (let n = 0; n < 50; n++) {
      const own = account()
      login([own], [own], { email: `email${n}` })
      login([own, account()], [own], { email: `email${n}` })
    }
    const [own, victim] = [account(), account()]
    login([own], [own], { email: "another" })
    assert.deepStrictEqual([...login([own, victim], [own, victim], { email: "another" }).told], [own])
    // Elsewhere nothing changes: who has two accounts with one password is asked which.
    const two = accounts(2)
    assert.strictEqual(login(two, two, { email: "two", address: "192.0.2.1" }).told.size, 2)
  })
})

describe("the owner of an account", () => {
  it("is let in among fifty others of their email, from anywhere, and again", () => {
    const { login } = attempting()
    const others = accounts(50)
    const victim = account()
    for (const there of [
      [...others, victim],
      [victim, ...others]
    ])
      for (const address of ["192.0.2.1", "192.0.2.2"])
        for (let n = 0; n < 100; n++) assert.deepStrictEqual([...login(there, [victim], { address }).told], [victim])
  })

  it("is let in where they made the account, however often others have guessed from there", () => {
    const { attempts, login } = attempting()
    const others = accounts(50)
    const victim = account()
    attempts.know(victim, "198.51.100.1", 0)
    for (let n = 0; n < 100; n++) login([...others, victim], [victim])
    for (let n = 0; n < 9; n++) login([...others, victim], [others[0] ?? victim])
    assert.isTrue(login([...others, victim], [victim]).told.has(victim))
  })

  it("is never left out where they say their tenant; guesses there count for logins without", () => {
    const { login } = attempting()
    const [own, victim] = [account(), account()]
    for (let n = 0; n < 20; n++) login([own, victim], [own])
    assert.isTrue(login([victim], [victim], { exact: true }).told.has(victim))
    const other = account()
    for (let n = 0; n < 10; n++) login([other], [], { exact: true, address: "192.0.2.9" })
    assert.isFalse(login([own, other], [other], { address: "192.0.2.9" }).tried.has(other))
  })
})

it("a login makes few entries, however many accounts its email has", () => {
  const { attempts, login } = attempting()
  const there = accounts(5000)
  for (let n = 0; n < 20; n++) login(there, [], { address: `198.51.100.${n}` })
  assert.isAtMost(attempts.size, 20 * 2 + 1)
})
