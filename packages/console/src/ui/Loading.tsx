/** Something is being fetched. Screen readers are told once. */
export const Loading = ({ what = "Loading" }: { readonly what?: string }) => (
  <div className="centre" role="status">
    <span className="spinner" aria-hidden="true" />
    <span className="visually-hidden">{what}</span>
  </div>
)
