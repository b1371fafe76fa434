import type { RequestOptions, Transport } from "./Transport.ts"
import type {
  AddedFactor,
  AddPasskey,
  FactorList,
  Factors as FactorsOf,
  NewRecoveryCodes,
  NewTotp,
  PasskeyCreation,
  Proof,
  Prove
} from "./Types.ts"

/** What a second factor is changed with: the `proof` of {@link Factors.prove}. */
export interface ProofOptions extends RequestOptions {
  readonly proof?: string
}

/** The second factors of the client's user, and of others for admins. */
export class Factors {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  list(options?: RequestOptions): Promise<FactorsOf> {
    return this.#transport.retry("GET", "/me/factors", options)
  }

  /** Proves who asks, by a second factor if there is one, else by the password. Not repeated: a code is taken once. */
  prove(given: Prove, options?: RequestOptions): Promise<Proof> {
    return this.#transport.send("POST", "/me/proof", { ...options, json: given })
  }

  /** One-time codes, which count once a code is confirmed. */
  beginTotp(codes: { readonly name?: string }, options?: ProofOptions): Promise<NewTotp> {
    return this.#transport.send("POST", "/me/factors/totp", { ...proven(options), json: codes })
  }

  confirmTotp(code: string, options?: RequestOptions): Promise<AddedFactor> {
    return this.#transport.send("POST", "/me/factors/totp/confirm", { ...options, json: { code } })
  }

  /** What `navigator.credentials.create` wants. */
  beginPasskey(options?: ProofOptions): Promise<PasskeyCreation> {
    return this.#transport.send("POST", "/me/factors/passkeys/options", proven(options))
  }

  addPasskey(passkey: AddPasskey, options?: RequestOptions): Promise<AddedFactor> {
    return this.#transport.send("POST", "/me/factors/passkeys", { ...options, json: passkey })
  }

  /** What `navigator.credentials.get` wants, for {@link prove}. */
  passkeyProof(options?: RequestOptions): Promise<PasskeyCreation> {
    return this.#transport.send("POST", "/me/proof/passkey", options)
  }

  remove(id: string, options?: ProofOptions): Promise<void> {
    return this.#transport.done("DELETE", `/me/factors/${encodeURIComponent(id)}`, proven(options))
  }

  /** New ones, in the place of those there are. */
  recoveryCodes(options?: ProofOptions): Promise<NewRecoveryCodes> {
    return this.#transport.send("POST", "/me/factors/recovery-codes", proven(options))
  }

  /** A user's. For admins. */
  listOf(tenant: string, user: string, options?: RequestOptions): Promise<FactorList> {
    return this.#transport.retry("GET", pathOf(tenant, user), options)
  }

  /** Takes a user's away. For admins. */
  removeOf(tenant: string, user: string, id: string, options?: ProofOptions): Promise<void> {
    return this.#transport.done("DELETE", `${pathOf(tenant, user)}/${encodeURIComponent(id)}`, proven(options))
  }
}

const pathOf = (tenant: string, user: string): string =>
  `/tenants/${encodeURIComponent(tenant)}/users/${encodeURIComponent(user)}/factors`

/** The options of a request with a proof. */
export const proven = ({ proof, ...options }: ProofOptions = {}): RequestOptions & {
  readonly headers?: Record<string, string>
} => (proof === undefined ? options : { ...options, headers: { proof } })
