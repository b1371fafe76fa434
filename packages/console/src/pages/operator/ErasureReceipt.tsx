import { useQuery } from "@tanstack/react-query"
import { Failure } from "../../ui/Failure.tsx"
import { count, moment } from "../../ui/format.ts"
import { Loading } from "../../ui/Loading.tsx"
import { Table } from "../../ui/Table.tsx"
import { useOperator } from "./useOperator.ts"

const AGAIN_MS = 2000

/** What an erasure removed, and whether it is done. */
export const ErasureReceipt = ({ tenant }: { readonly tenant: string }) => {
  const client = useOperator()
  const erasure = useQuery({
    queryKey: ["erasure", tenant],
    queryFn: ({ signal }) => client.tenants.erasure(tenant, { signal }),
    refetchInterval: ({ state }) => (state.data?.status === "running" ? AGAIN_MS : false)
  })
  if (erasure.data === undefined)
    return erasure.isError ? <Failure error={erasure.error} retry={() => void erasure.refetch()} /> : <Loading />
  const { begun_at, counts, ended_at, status } = erasure.data
  const rows = Object.entries(counts).map(([table, rows]) => ({ table, rows }))
  return (
    <section className="stack" aria-labelledby="receipt">
      <h2 id="receipt">Receipt of the erasure</h2>
      <p className={`note ${status === "done" ? "good" : "warn"}`} role="status">
        {status === "done" && ended_at !== null
          ? `Done at ${moment(ended_at)}. None of these rows is left.`
          : "Rows are being removed. Users and keys are refused already."}{" "}
        It began at {moment(begun_at)}.
      </p>
      <Table
        label="Rows by table"
        rows={rows}
        rowKey={({ table }) => table}
        columns={[
          { title: "Table", cell: ({ table }) => <code>{table}</code> },
          { title: "Rows when it began", number: true, cell: ({ rows }) => count(rows) }
        ]}
      />
    </section>
  )
}
