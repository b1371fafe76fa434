/**
 * The script of the pages of `AccountPages.ts`. It takes the token out of the address first, so that it is not in the history, nor seen by
 * who looks at the screen; and it writes texts, never markup.
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
if (token === "") {
  form.hidden = true
  say("This page is opened by the link of a mail. Open it from there.")
}
form.addEventListener("submit", async (event) => {
  event.preventDefault()
  button.disabled = true
  say("One moment …")
  const body = password === null ? { token } : { token, [password.dataset.member]: password.value }
  try {
    const answer = await fetch(form.dataset.to, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      credentials: "omit",
      cache: "no-store"
    })
    if (answer.ok) {
      form.hidden = true
      say(form.dataset.done)
      said.focus()
      return
    }
    const { detail, errors } = await answer.json()
    say(errors?.[0]?.message ?? detail ?? "It did not work. Try again.")
  } catch {
    say("The server cannot be reached. Try again.")
  }
  button.disabled = false
})
`
