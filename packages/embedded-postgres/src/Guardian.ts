import { Effect } from "effect"
import { spawn } from "node:child_process"
import { windows } from "./Command.ts"
import type { ClusterDirectory } from "./ClusterDirectory.ts"
import type { Lease } from "./Leases.ts"

// Holds the other end of a pipe. A line means a clean exit. The end of the pipe means that we were killed: if no other program uses the
// cluster, the guardian stops the server. It signals only the server it was given, never one started later.
const SCRIPT = `
read -r line && exit 0
cluster=$1 mine=$2 server=$3 temporary=$4
rm -f "$mine"
for file in "$cluster"/users/*; do
  name=\${file##*/}
  case $name in *-*) kill -0 "\${name%%-*}" 2>/dev/null && exit 0 ;; esac
done
[ "$temporary" = yes ] || exec kill -INT "$server"
kill -QUIT "$server"
tries=0
while kill -0 "$server" && [ $((tries += 1)) -lt 50 ]; do sleep 0.1; done
rm -rf "$cluster"
`

/**
 * Stops the server if this process is killed in a way it cannot handle (`kill -9`, out of memory). Not on Windows, where the next start
 * takes the server over.
 */
export const watch = (cluster: ClusterDirectory, lease: Lease, server: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      if (windows) return undefined
      // A session of its own, so that a signal to our process group does not reach it.
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
            // Otherwise a program with nothing else to do would end before the guardian reports.
            guardian.ref()
            guardian.once("exit", () => resume(Effect.void))
            guardian.stdin.end("\n")
          })
  )
