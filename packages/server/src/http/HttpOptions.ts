import { Context, Effect, Layer } from "effect"
import { Settings } from "../config/Settings.ts"

/** What the HTTP edge needs to know. Times are in milliseconds, sizes in bytes. */
export class HttpOptions extends Context.Service<
  HttpOptions,
  {
    readonly host: string
    readonly port: number
    /** Production adds HSTS: browsers obey it only where the answer came over TLS (RFC 6797 §8.1). */
    readonly production: boolean
    /** The origins whose pages may read our answers, compared as they are. */
    readonly allowedOrigins: ReadonlyArray<string>
    /** Whether pages of this machine (localhost, any port) may read them too: in development they are their author's. */
    readonly allowLocalOrigins: boolean
    readonly maxBodyBytes: number
    readonly maxHeaderBytes: number
    /** Connections beyond these are closed when they arrive. */
    readonly maxConnections: number
    /** The time a sender has for its headers, and a connection that says nothing before it is closed. */
    readonly headersTimeout: number
    /** The time a sender has for a whole request, body included. */
    readonly requestTimeout: number
    /** The time an idle connection is kept: longer than load balancers keep theirs, so that it is they who close. */
    readonly keepAliveTimeout: number
    /** How often the two timeouts above are looked at. */
    readonly checkingInterval: number
    /** The time requests in flight have to finish once we are told to stop. */
    readonly drainTimeout: number
  }
>()("@llm-saas/server/http/HttpOptions") {
  static readonly defaults: HttpOptions["Service"] = {
    host: "127.0.0.1",
    port: 8000,
    production: false,
    allowedOrigins: [],
    allowLocalOrigins: false,
    maxBodyBytes: 1_048_576,
    maxHeaderBytes: 16_384,
    maxConnections: 10_000,
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    keepAliveTimeout: 65_000,
    checkingInterval: 2000,
    drainTimeout: 20_000
  }

  static readonly layer = Layer.effect(
    HttpOptions,
    Effect.map(Settings, (settings) =>
      HttpOptions.of({
        ...HttpOptions.defaults,
        host: settings.HOST,
        port: settings.PORT,
        production: settings.APP_ENV === "production",
        allowedOrigins: settings.ALLOWED_ORIGINS,
        allowLocalOrigins: settings.APP_ENV === "development",
        maxBodyBytes: settings.MAX_BODY_BYTES,
        keepAliveTimeout: settings.KEEP_ALIVE_SECONDS * 1000,
        drainTimeout: settings.SHUTDOWN_SECONDS * 1000
      })
    )
  )
}
