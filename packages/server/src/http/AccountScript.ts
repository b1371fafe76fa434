/**
 * The script of the pages of `AccountPages.ts`. It takes the token out of the address first, so that it is not in the history, nor seen by
 * who looks at the screen; and it writes texts, never markup. `data-look`: what the link offers is asked for and shown; that does not use it.
 */
export const SCRIPT = `"use strict"
const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? ""
history.replaceState(null, "", location.pathname)
const form = document.querySelector("form")
const button = document.querySelector("button")
const password = document.querySelector("input")
const said = document.getElementById("said")
const say = (text) => {
  said.textContent = text
}
const post = async (to, body) => {
  try {
    const answer = await fetch(to, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      credentials: "omit",
      cache: "no-store"
    })
    const value = answer.status === 204 ? {} : await answer.json()
    if (answer.ok) return value
    say(value.errors?.[0]?.message ?? value.detail ?? "It did not work. Try again.")
  } catch {
    say("The server cannot be reached. Try again.")
  }
}
if (token === "") {
  form.hidden = true
  say("This page is opened by the link of a mail. Open it from there.")
} else if (form.dataset.look !== undefined) {
  post(form.dataset.look, { token }).then((offer) => {
    if (offer === undefined) form.hidden = true
    else document.getElementById("offer").textContent = "Tenant: " + offer.tenant_name + ". Your address: " + offer.email + "."
    if (typeof offer?.login_url !== "string") return
    form.hidden = true
    say(offer.tenant_name + " uses single sign-on. Log in there with " + offer.email + ": that accepts the invitation.")
    const login = document.getElementById("login")
    login.href = offer.login_url
    login.hidden = false
  })
}
form.addEventListener("submit", async (event) => {
  event.preventDefault()
  button.disabled = true
  say("One moment …")
  const body = password === null ? { token } : { token, [password.dataset.member]: password.value }
  if ((await post(form.dataset.to, body)) === undefined) {
    button.disabled = false
    return
  }
  form.hidden = true
  say(form.dataset.done)
  document.getElementById("next").hidden = false
  said.focus()
})
`
