import { proven, type ProofOptions } from "./Factors.ts"
import type { RequestOptions, Transport } from "./Transport.ts"
import type { IdentityLink, LinkIdentity, SsoIdentity } from "./Types.ts"

/** Who logs in to the client's account at a provider. */
export class Identities {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  async list(options?: RequestOptions): Promise<ReadonlyArray<SsoIdentity>> {
    const { data } = await this.#transport.retry<{ readonly data: ReadonlyArray<SsoIdentity> }>(
      "GET",
      "/me/identities",
      options
    )
    return data
  }

  /**
   * Where the browser goes for a person at a provider for all tenants to be linked. For a page of the server: the answer has a cookie, which no
   * page of another origin gets.
   */
  link(wanted: LinkIdentity, options?: ProofOptions): Promise<IdentityLink> {
    const { headers, ...rest } = proven(options)
    return this.#transport.send("POST", "/me/identities", {
      ...rest,
      headers: { ...headers, "x-csrf": "1" },
      json: wanted
    })
  }

  /** The last way to log in stays. */
  remove(id: string, options?: ProofOptions): Promise<void> {
    return this.#transport.done("DELETE", `/me/identities/${encodeURIComponent(id)}`, proven(options))
  }
}
