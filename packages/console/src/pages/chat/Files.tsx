import { memo, useCallback } from "react"
import { type Attached, isPicture, previewOf } from "../../chat/attachments.ts"
import { Button } from "../../ui/Button.tsx"
import { bytes } from "../../ui/format.ts"

interface Props {
  readonly files: ReadonlyArray<Attached>
  /** Takes one away. */
  readonly onRemove?: (file: Attached) => void
}

/** The files beside a question, pictures with a small view of them. */
export const Files = ({ files, onRemove }: Props) =>
  files.length === 0 ? null : (
    <ul className="files" aria-label="Files">
      {files.map((file) => (
        <li key={file.id} className="file">
          {isPicture(file) ? (
            <Preview file={file} />
          ) : (
            <span className="file-kind">{file.mediaType === "application/pdf" ? "PDF" : "Text"}</span>
          )}
          <span className="file-name">
            {file.name} <span className="soft small">{bytes(file.bytes)}</span>
          </span>
          {onRemove === undefined ? null : (
            <Button look="plain" className="icon" aria-label={`Remove ${file.name}`} onClick={() => onRemove(file)}>
              ×
            </Button>
          )}
        </li>
      ))}
    </ul>
  )

/** A picture from memory: its `blob:` address is of this page alone, and ends with the view. */
const Preview = memo(({ file }: { readonly file: Attached }) => {
  const show = useCallback(
    (image: HTMLImageElement | null) => {
      const url = previewOf(file)
      if (image !== null) image.src = url
      return () => URL.revokeObjectURL(url)
    },
    [file]
  )
  return <img ref={show} className="file-view" alt="" />
})
