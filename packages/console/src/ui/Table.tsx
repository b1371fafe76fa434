import type { ReactNode } from "react"

interface Column<Row> {
  readonly title: string
  /** Numbers stand at the end of their cells. */
  readonly number?: boolean
  readonly cell: (row: Row) => ReactNode
}

interface Props<Row> {
  /** Names the table for those who do not see it. */
  readonly label: string
  readonly columns: ReadonlyArray<Column<Row>>
  readonly rows: ReadonlyArray<Row>
  readonly rowKey: (row: Row) => string
}

/** A table. It scrolls sideways in its frame where the window is narrow. */
export const Table = <Row,>({ columns, label, rowKey, rows }: Props<Row>) => (
  <div className="table-frame" role="region" aria-label={label} tabIndex={0}>
    <table className="table">
      <thead>
        <tr>
          {columns.map(({ number, title }) => (
            <th key={title} scope="col" className={number === true ? "number" : undefined}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={rowKey(row)}>
            {columns.map(({ cell, number, title }) => (
              <td key={title} className={number === true ? "number" : undefined}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
)
