import { encode } from "uqr"

/** Empty modules around a code that readers want. */
const QUIET = 4

/** A text as a QR code, dark on white in both themes, since not all readers know the other way round. */
export const Qr = ({ label, text }: { readonly text: string; readonly label: string }) => {
  const { data, size } = encode(text, { border: QUIET })
  const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("")
  return (
    <svg className="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  )
}
