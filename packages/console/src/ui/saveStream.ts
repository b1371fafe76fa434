import { LlmSaasError } from "@llm-saas/client"

/** A file that a person chose, as browsers with the File System Access API give it. */
interface ChosenFile {
  readonly createWritable: () => Promise<WritableStream<Uint8Array>>
}

declare global {
  interface Window {
    readonly showSaveFilePicker?: (options: { readonly suggestedName: string }) => Promise<ChosenFile>
  }
}

/** The most that is collected in memory, where the browser cannot write into a file while it reads. */
export const MOST_IN_MEMORY_BYTES = 256_000_000

/** Whether a file may be of any size here. */
export const writesFiles = (): boolean => typeof window.showSaveFilePicker === "function"

interface Saving {
  /** The name that is proposed. */
  readonly name: string
  /** Asks the server for it. */
  readonly open: (signal: AbortSignal) => Promise<Response>
  /** How many bytes there are so far. */
  readonly onBytes: (bytes: number) => void
  readonly signal: AbortSignal
}

/**
 * Saves an answer as a file, and is done when all of it is there: `closed`: the person chose no file. `too_large`: the browser would have to
 * keep more than {@link MOST_IN_MEMORY_BYTES} of it. What fails in the middle leaves no file.
 */
export const saveStream = async ({
  name,
  onBytes,
  open,
  signal
}: Saving): Promise<"saved" | "closed" | "too_large"> => {
  if (window.showSaveFilePicker === undefined) return collect({ name, onBytes, open, signal })
  // It wants the person's press, so it comes before the request.
  const file = await window.showSaveFilePicker({ suggestedName: name }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "AbortError") return undefined
    throw error
  })
  if (file === undefined) return "closed"
  const body = bodyOf(await open(signal))
  const counted = new TransformStream<Uint8Array, Uint8Array>(counter(onBytes))
  const target = await file.createWritable()
  // A source that fails aborts the target, and what was written so far is dropped.
  await body
    .pipeThrough(counted, { signal })
    .pipeTo(target, { signal })
    .catch((error: unknown) => {
      signal.throwIfAborted()
      throw cut(error)
    })
  return "saved"
}

const counter = (onBytes: Saving["onBytes"]): Transformer<Uint8Array, Uint8Array> => {
  let total = 0
  return {
    transform: (chunk, controller) => {
      total += chunk.byteLength
      onBytes(total)
      controller.enqueue(chunk)
    }
  }
}

const collect = async ({ name, onBytes, open, signal }: Saving) => {
  const response = await open(signal)
  const reader = bodyOf(response).getReader()
  const parts: Array<Uint8Array<ArrayBuffer>> = []
  let total = 0
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      signal.throwIfAborted()
      throw cut(error)
    })
    if (done) break
    total += value.byteLength
    if (total > MOST_IN_MEMORY_BYTES) {
      await reader.cancel()
      return "too_large"
    }
    onBytes(total)
    parts.push(new Uint8Array(value))
  }
  const address = URL.createObjectURL(new Blob(parts, { type: response.headers.get("content-type") ?? "" }))
  const link = document.createElement("a")
  link.href = address
  link.download = name
  link.click()
  // The browser has taken it up by then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
  return "saved"
}

const bodyOf = ({ body }: Response): ReadableStream<Uint8Array> => {
  if (body === null) throw cut(undefined)
  return body
}

/** The connection ended before the file did. */
const cut = (cause: unknown) =>
  new LlmSaasError("The connection was cut, and the file is not whole: it was not saved.", {
    code: "connection_failed",
    status: 0,
    cause
  })
