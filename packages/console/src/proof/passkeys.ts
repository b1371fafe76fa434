import { startAuthentication, startRegistration } from "@simplewebauthn/browser"
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON
} from "@simplewebauthn/browser"
import type { CreatedPasskey, UsedPasskey } from "@llm-saas/client"
import { Told } from "../ui/Told.ts"

export { browserSupportsWebAuthn as hasPasskeys } from "@simplewebauthn/browser"

/** The browser made or used no passkey: the person said no, waited too long, or has none here. */
export class NoPasskey extends Told {
  override readonly name = "NoPasskey"
}

/** Asks the browser for a passkey of the account. `options` are the server's. */
export const askPasskey = async (options: unknown): Promise<UsedPasskey> => {
  if (!isRequest(options)) throw new NoPasskey("The server sent no options for a passkey.")
  const { id, rawId, response, type } = await startAuthentication({ optionsJSON: options }).catch(refused)
  const { authenticatorData, clientDataJSON, signature, userHandle } = response
  return {
    id,
    rawId,
    type,
    response: { authenticatorData, clientDataJSON, signature, ...(userHandle === undefined ? {} : { userHandle }) }
  }
}

/** Asks the browser to make a passkey. `options` are the server's. */
export const makePasskey = async (options: unknown): Promise<CreatedPasskey> => {
  if (!isCreation(options)) throw new NoPasskey("The server sent no options for a passkey.")
  const { id, rawId, response, type } = await startRegistration({ optionsJSON: options }).catch(refused)
  const { attestationObject, clientDataJSON, transports } = response
  const known = transports?.filter(isTransport)
  return {
    id,
    rawId,
    type,
    response: { attestationObject, clientDataJSON, ...(known === undefined ? {} : { transports: known }) }
  }
}

const refused = (error: unknown): never => {
  if (error instanceof Error && error.name === "InvalidStateError")
    throw new NoPasskey("This device has a passkey of your account already.")
  throw new NoPasskey("No passkey was used. Try again, or use something else.")
}

type Transport = NonNullable<CreatedPasskey["response"]["transports"]>[number]
const TRANSPORTS: ReadonlyArray<string> = ["ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"]
const isTransport = (text: string): text is Transport => TRANSPORTS.includes(text)

const isRequest = (value: unknown): value is PublicKeyCredentialRequestOptionsJSON => hasText(value, "challenge")
const isCreation = (value: unknown): value is PublicKeyCredentialCreationOptionsJSON =>
  hasText(value, "challenge") && typeof Reflect.get(Object(value), "rp") === "object"

const hasText = (value: unknown, member: string): boolean => typeof Reflect.get(Object(value), member) === "string"
