import { destinationOf } from "@llm-saas/mlflow/Destination"
import { Effect, Layer } from "effect"
import { existsSync } from "node:fs"
import { Settings } from "../config/Settings.ts"

/** Docker puts this file into every container. Kubernetes has none; in a pod, a sidecar on 127.0.0.1 is usual. */
const MARK = "/.dockerenv"

const LOOPBACK = /^(?:(?:[a-z\d-]+\.)?localhost|127\.[\d.]+|\[::1\])$/u

/** Variables that point to this container itself, where nothing else listens: from a `.env` written for the host. */
export const pointingInside = ({
  MLFLOW_TRACKING_URI,
  OPENAI_BASE_URL
}: Pick<Settings["Service"], "MLFLOW_TRACKING_URI" | "OPENAI_BASE_URL">): ReadonlyArray<string> => {
  const tracking = destinationOf(MLFLOW_TRACKING_URI)
  const addresses = {
    MLFLOW_TRACKING_URI: tracking?.kind === "http" ? tracking.url : undefined,
    OPENAI_BASE_URL
  }
  return Object.entries(addresses).flatMap(([name, address]) =>
    address !== undefined && LOOPBACK.test(URL.parse(address)?.hostname ?? "") ? [name] : []
  )
}

/** Warns of them in the log of a production server in a container. */
export const ContainerLoopbackLayer = Layer.effectDiscard(
  Effect.gen(function* () {
    const settings = yield* Settings
    if (settings.APP_ENV !== "production" || !existsSync(MARK)) return
    for (const name of pointingInside(settings))
      yield* Effect.logWarning(`${name} names this container itself: from here the host is host.docker.internal`)
  })
)
