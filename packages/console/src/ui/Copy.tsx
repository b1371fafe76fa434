import { toast } from "./Toasts.tsx"
import { Button } from "./Button.tsx"

/** Copies a text, such as a key or a command. */
export const Copy = ({ label = "Copy", text }: { readonly text: string; readonly label?: string }) => (
  <Button
    onClick={() =>
      void navigator.clipboard.writeText(text).then(
        () => toast("Copied."),
        () => toast("The browser does not allow copying. Select the text and copy it.")
      )
    }
  >
    {label}
  </Button>
)
