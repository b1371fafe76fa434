import { Effect } from "effect"
import { spawn } from "node:child_process"
import { windows } from "./Command.ts"
import type { ClusterDirectory } from "./ClusterDirectory.ts"
import type { Lease } from "./Leases.ts"

// Holds the other end of a pipe. A line says that all is well; the end of the pipe says that we were killed, and then the last user
// of the cluster is not there to stop it. Signals the one server it was given: a server started since is none of its business.
const SCRIPT = `
read -r line && exit 0
cluster=$1 mine=$2 server=$3 temporary=$4
rm -f "$mine"
for file in "$home"/users/*; do
  name=\${file##*/}
  case $name in *-*) kill -0 "\${name%%-*}" 2>/dev/null && exit 0 ;; esac
done
[ "$temporary" = yes ] || exec kill -INT "$server"
kill -QUIT "$server"
tries=0
while kill -0 "$server" && [ $((tries += 1)) -lt 50 ]; do sleep 0.1; done
rm -rf "$home"
`

/**
 * Stops the server when this process is killed in a way it cannot handle (`kill -9`, out of memory): nothing is left running. Not on
 * Windows, where the next start takes the server over.
 */
export const watch = (cluster: ClusterDirectory, lease: Lease, server: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      if (windows) return undefined
      // A session of its own, so that a signal to our whole group does not reach it.
      const guardian = spawn(
        "/bin/sh",
        ["-c", SCRIPT, "guardian", cluster.directory, lease.file, String(server), cluster.temporary ? "yes" : "no"],
        {
          cwd: "/",
          env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
          stdio: ["pipe", "ignore", "ignore"],
          detached: true
        }
      )
      guardian.once("error", () => {})
      guardian.stdin.once("error", () => {})
      guardian.unref()
      return guardian
    }),
    (guardian) =>
      guardian === undefined || guardian.exitCode !== null || guardian.signalCode !== null || guardian.pid === undefined
        ? Effect.void
        : Effect.callback<void>((resume) => {
            // Or a program with nothing else to do would end before it hears of it.
            guardian.ref()
            guardian.once("exit", () => resume(Effect.void))
            guardian.stdin.end("\n")
          })
  )
