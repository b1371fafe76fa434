import { Component, type ReactNode } from "react"

interface Props {
  readonly text: string
  readonly children: ReactNode
}

/** Shows the text as it is where the renderer gives up, and the page stays. */
export class Tough extends Component<Props, { readonly failed: string | undefined }> {
  override state: { readonly failed: string | undefined } = { failed: undefined }

  static getDerivedStateFromError() {
    return { failed: "" }
  }

  override componentDidCatch() {
    this.setState({ failed: this.props.text })
  }

  override render() {
    const { failed } = this.state
    return failed === undefined || (failed !== "" && failed !== this.props.text) ? (
      this.props.children
    ) : (
      <p className="as-it-is">{this.props.text}</p>
    )
  }
}
