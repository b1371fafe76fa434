import { type RequestOptions, Transport } from "./Transport.ts"
import type {
  AddPrice,
  Correction,
  CreateOperatorTenant,
  Erasure,
  MadeCorrection,
  OperatorEvent,
  OperatorHealth,
  OperatorPrice,
  OperatorTenant,
  OperatorToken,
  OperatorUsage,
  Page,
  PageQuery,
  Plan,
  PlanChoice
} from "./Types.ts"

export { LlmSaasError } from "./LlmSaasError.ts"
export type { RequestOptions } from "./Transport.ts"

export interface OperatorClientOptions {
  /** The server's address, such as `https://api.example.com`. */
  readonly url: string | URL
  /** An operator token (`op-…`). */
  readonly token: string
  /** Instead of the platform's `fetch`. */
  readonly fetch?: typeof fetch
}

/** Days as in `2026-11-30`, in UTC, both included: by default from the first of this month to today, by tenant. */
export interface OperatorUsageQuery {
  readonly from?: string
  readonly to?: string
  readonly group_by?: ReadonlyArray<"tenant" | "model" | "day">
  readonly tenant_id?: string
  /** At most 10,000; 1,000 unless it is said. */
  readonly limit?: number
}

/** Which prices: those that hold now or later, and with `ended` the others too; with `own` the operator's alone. */
export interface OperatorPriceQuery {
  readonly provider?: string
  readonly model?: string
  readonly own?: boolean
  readonly ended?: boolean
  /** At most 20,000; 1,000 unless it is said. */
  readonly limit?: number
}

/** A client of the server at `url` for the operator of the installation. Every failure is a `LlmSaasError`. */
export const createOperatorClient = ({ fetch, token, url }: OperatorClientOptions): OperatorClient =>
  new OperatorClient(new Transport(url, token, fetch))

/** What the operator of the installation sees and does: nothing of what users wrote. */
export class OperatorClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** The token of this client: its name, and until when it holds. */
  whoami(options?: RequestOptions): Promise<OperatorToken> {
    return this.#get("/token", options)
  }

  /** Each deed is answered with the tenant as it is then. */
  readonly tenants = {
    /** Newest first. */
    list: (
      query?: PageQuery & { readonly status?: OperatorTenant["status"]; readonly plan_id?: string },
      options?: RequestOptions
    ): Promise<Page<OperatorTenant>> => this.#get("/tenants", options, { ...query }),
    create: (tenant: CreateOperatorTenant, options?: RequestOptions): Promise<OperatorTenant> =>
      this.#transport.send("POST", "/operator/tenants", { ...options, json: tenant }),
    get: (id: string, options?: RequestOptions): Promise<OperatorTenant> => this.#get(ofTenant(id), options),
    /** Its users and keys are refused from the next request on, its answers under way stop within seconds. */
    suspend: (id: string, options?: RequestOptions): Promise<OperatorTenant> =>
      this.#transport.retry("POST", `/operator${ofTenant(id)}/suspend`, options),
    resume: (id: string, options?: RequestOptions): Promise<OperatorTenant> =>
      this.#transport.retry("POST", `/operator${ofTenant(id)}/resume`, options),
    /** Its people may log in by password again, where they have one. */
    makeSsoOptional: (id: string, options?: RequestOptions): Promise<OperatorTenant> =>
      this.#transport.retry("POST", `/operator${ofTenant(id)}/sso-optional`, options),
    /** `null` takes the plan away. */
    assignPlan: (id: string, plan_id: string | null, options?: RequestOptions): Promise<OperatorTenant> =>
      this.#transport.retry("PUT", `/operator${ofTenant(id)}/plan`, { ...options, json: { plan_id } }),
    /** For good. `name` is the tenant's, against a mistaken id. Rows are removed in the background: see `erasure`. */
    erase: (id: string, name: string, options?: RequestOptions): Promise<Erasure> =>
      this.#transport.send("POST", `/operator${ofTenant(id)}/erase`, { ...options, json: { name } }),
    /** How far it is: the receipt, once it is `done`. */
    erasure: (id: string, options?: RequestOptions): Promise<Erasure> => this.#get(`${ofTenant(id)}/erasure`, options),
    /** Adds an entry to the ledger: the tenant owes `amount` US dollars more, or less where it is negative. */
    correct: (id: string, correction: Correction, options?: RequestOptions): Promise<MadeCorrection> =>
      this.#transport.send("POST", `/operator${ofTenant(id)}/corrections`, { ...options, json: correction })
  }

  readonly plans = {
    /** By name. */
    list: async (options?: RequestOptions): Promise<ReadonlyArray<Plan>> =>
      (await this.#get<Rows<Plan>>("/plans", options)).data,
    create: (plan: PlanChoice, options?: RequestOptions): Promise<Plan> =>
      this.#transport.send("POST", "/operator/plans", { ...options, json: plan }),
    get: (id: string, options?: RequestOptions): Promise<Plan> => this.#get(`/plans/${encode(id)}`, options),
    /** Replaces it, for its tenants too: what is left out is not limited. */
    change: (id: string, plan: PlanChoice, options?: RequestOptions): Promise<Plan> =>
      this.#transport.retry("PUT", `/operator/plans/${encode(id)}`, { ...options, json: plan }),
    /** Only one that no tenant has. */
    remove: (id: string, options?: RequestOptions): Promise<void> =>
      this.#transport.done("DELETE", `/operator/plans/${encode(id)}`, options)
  }

  /** Prices of providers: US dollars as decimal texts, for `per` of a unit. */
  readonly prices = {
    /** By provider, model and unit. */
    list: async (
      { ended, own, ...query }: OperatorPriceQuery = {},
      options?: RequestOptions
    ): Promise<ReadonlyArray<OperatorPrice>> =>
      (
        await this.#get<Rows<OperatorPrice>>("/prices", options, {
          ...query,
          own: own === undefined ? undefined : String(own),
          ended: ended === undefined ? undefined : String(ended)
        })
      ).data,
    /** From `since` or now on; the operator's own price of the same thing ends then. */
    add: (price: AddPrice, options?: RequestOptions): Promise<OperatorPrice> =>
      this.#transport.send("POST", "/operator/prices", { ...options, json: price }),
    /** Ends one of the operator's own. */
    end: (id: string, options?: RequestOptions): Promise<void> =>
      this.#transport.done("DELETE", `/operator/prices/${encode(id)}`, options)
  }

  /** What all tenants used, and what it cost: the most expensive first. Members that are not grouped by are null. */
  async usage(
    { group_by, ...query }: OperatorUsageQuery = {},
    options?: RequestOptions
  ): Promise<ReadonlyArray<OperatorUsage>> {
    return (await this.#get<Rows<OperatorUsage>>("/usage", options, { ...query, group_by: group_by?.join(",") })).data
  }

  /** What the operator did, newest first. */
  events(query?: PageQuery & { readonly tenant_id?: string }, options?: RequestOptions): Promise<Page<OperatorEvent>> {
    return this.#get("/events", options, { ...query })
  }

  /** How providers are, as the process knows that answers, and what waits to be sent to MLflow and by mail. */
  health(options?: RequestOptions): Promise<OperatorHealth> {
    return this.#get("/health", options)
  }

  #get<A>(
    path: string,
    options: RequestOptions | undefined,
    query?: Readonly<Record<string, string | number | undefined>>
  ): Promise<A> {
    return this.#transport.retry("GET", `/operator${path}`, { ...options, query })
  }
}

/** A list without pages. */
interface Rows<Row> {
  readonly data: ReadonlyArray<Row>
}

const encode = encodeURIComponent

const ofTenant = (id: string): string => `/tenants/${encode(id)}`
