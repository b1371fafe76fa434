import type { NewTotp } from "@llm-saas/client"
import { Copy } from "../ui/Copy.tsx"
import { Qr } from "../ui/Qr.tsx"

/** What an authenticator app reads: the code as an image, and to be typed. */
export const NewCodes = ({ codes }: { readonly codes: NewTotp }) => (
  <div className="stack">
    <p>
      Scan this with an authenticator app, such as the one of your password manager, or type the secret into it. Then
      type the code that it shows.
    </p>
    <Qr text={codes.uri} label="QR code for an authenticator app" />
    <div className="row">
      <code className="secret">{codes.secret}</code>
      <Copy text={codes.secret} label="Copy the secret" />
    </div>
  </div>
)
