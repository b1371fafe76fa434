/** The request's id in the server's log, which few look for: it opens. */
export const RequestId = ({ id }: { readonly id: string | null }) =>
  id === null ? null : (
    <details className="small soft">
      <summary>Request id</summary>
      <code>{id}</code>
    </details>
  )
