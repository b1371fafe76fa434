import { Page } from "../../ui/Page.tsx"
import { FactorsPart } from "./FactorsPart.tsx"
import { IdentitiesPart } from "./IdentitiesPart.tsx"
import { PasswordPart } from "./PasswordPart.tsx"
import "./account.css"

/** What protects the account: its password, second factors, and logins elsewhere. */
export const SecurityPage = () => (
  <Page title="Security" about="What protects your account. Changes are told to your address by mail.">
    <FactorsPart />
    <PasswordPart />
    <IdentitiesPart />
  </Page>
)
