import { Effect, Layer } from "effect"
import { HttpRouter } from "effect/http"
import { createHash } from "node:crypto"
import { SCRIPT } from "./AccountScript.ts"
import { escape, page } from "./HtmlPage.ts"
import type { Route } from "./RouteTable.ts"

/** A page that a link in a mail leads to. */
interface AccountPage {
  readonly title: string
  readonly text: string
  readonly button: string
  /** Where its form goes, from the page's own address: the server may be behind a path. */
  readonly to: string
  /** The member of the body that is a new password, if the page asks for one. */
  readonly password?: string
  /** It is one that the account has already. */
  readonly chosen?: true
  /** Where it asks what the link offers, if it shows that. */
  readonly look?: string
  /** What it says at the end. */
  readonly done: string
}

/** By their addresses, which the mails have (`packages/mail/src/Templates.ts`). */
const ACCOUNT: Readonly<Record<`/account/${string}`, AccountPage>> = {
  "/account/reset": {
    title: "Choose a new password",
    text: "All logins there are end by that.",
    button: "Use this password",
    to: "../password/reset/confirm",
    password: "new_password",
    done: "Your password is changed. Log in with it."
  },
  "/account/verify": {
    title: "Confirm your address",
    text: "With the password of your account. You have chosen none? Then another has given your address: do not confirm it. To have the account for yourself, choose a new password at the login.",
    button: "Confirm",
    to: "../email/verify",
    password: "password",
    chosen: true,
    done: "Your address is confirmed. Thank you."
  },
  "/account/email": {
    title: "Use your new address",
    text: "From then on you log in with it.",
    button: "Use this address",
    to: "../email/change",
    done: "Your account has the new address. Log in with it from now on."
  },
  "/account/invitation": {
    title: "Accept the invitation",
    text: "Choose a password for your account.",
    button: "Accept",
    to: "../invitations/accept",
    look: "../invitations/look",
    password: "password",
    done: "You have an account now. Log in with your address and this password."
  }
}

const SCRIPT_PATH = "/account/page.js"

/** The pages' routes, beside the API. */
export const ACCOUNT_PAGES: ReadonlyArray<Route> = [...Object.keys(ACCOUNT), SCRIPT_PATH].map((path): Route => ({
  path: pathOf(path),
  methods: ["GET", "HEAD"]
}))

function pathOf(path: string): `/${string}` {
  return `/${path.slice(1)}`
}

/**
 * Small pages for the links in mails, until a console of one's own has them. The token is in the fragment, which no browser sends; the
 * script sends it once the button is pressed, so that a program that opens every link of a mail uses none of them. Nothing is loaded from
 * elsewhere, and nothing that is not the script runs.
 */
export const AccountPagesLayer = Layer.effectDiscard(
  Effect.gen(function* () {
    const router = yield* HttpRouter.HttpRouter
    for (const [path, about] of Object.entries(ACCOUNT))
      yield* router.add(
        "GET",
        pathOf(path),
        yield* page(document(about), "text/html; charset=utf-8", { "content-security-policy": POLICY })
      )
    yield* router.add("GET", SCRIPT_PATH, yield* page(SCRIPT, "text/javascript; charset=utf-8"))
  })
)

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}label{display:block;font-weight:600}input,button{font:inherit;padding:.5rem .7rem;box-sizing:border-box;border:1px solid #555;border-radius:.3rem}input{width:100%;margin:.3rem 0 1rem}button{background:#0b5cad;color:#fff;border-color:#0b5cad}button:disabled{background:#595959;border-color:#595959}[role=status]{min-height:1.5em}@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}input{color:#eee;background:#222}}"

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "connect-src 'self'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'"
].join("; ")

const document = ({ button, chosen, done, look, password, text, title, to }: AccountPage): string => {
  const field =
    password === undefined
      ? ""
      : `<label for="password">${chosen === true ? "Password" : "New password"}</label><input id="password" type="password" autocomplete="${chosen === true ? "current" : "new"}-password" required data-member="${password}">`
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><title>${escape(title)}</title><style>${STYLE}</style><script src="page.js" defer></script></head><body><main><h1>${escape(title)}</h1><form data-to="${to}" data-done="${escape(done)}"${look === undefined ? "" : ` data-look="${look}"`}><p id="offer"></p><p>${escape(text)}</p>${field}<button>${escape(button)}</button></form><p role="status" id="said" tabindex="-1"></p><p><a id="next" href="../console/" hidden>Open the console</a></p>${look === undefined ? "" : `<p><a id="login" hidden>Log in by single sign-on</a></p>`}<noscript><p>This page needs JavaScript.</p></noscript></main></body></html>`
}
