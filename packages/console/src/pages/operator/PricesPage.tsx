import type { OperatorPrice } from "@llm-saas/client"
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query"
import { useNavigate, useSearch } from "@tanstack/react-router"
import { useState } from "react"
import { Button } from "../../ui/Button.tsx"
import { Confirm } from "../../ui/Confirm.tsx"
import { DialogButton } from "../../ui/DialogButton.tsx"
import { Empty } from "../../ui/Empty.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { Check, Field } from "../../ui/Field.tsx"
import { count, moment } from "../../ui/format.ts"
import { Loading } from "../../ui/Loading.tsx"
import { Page } from "../../ui/Page.tsx"
import { Table } from "../../ui/Table.tsx"
import { AddPriceForm } from "./AddPriceForm.tsx"
import type { PricesSearch } from "./search.ts"
import { unitText } from "./units.ts"
import { useOperator } from "./useOperator.ts"
import "./operator.css"

const STEP = 100
/** The most that the server lists at once. */
const MOST = 20_000

/** What providers are paid. */
export const PricesPage = () => {
  const client = useOperator()
  const cache = useQueryClient()
  const search = useSearch({ from: "/operator/prices" })
  const filter = JSON.stringify(search)
  const [shown, setShown] = useState({ filter, limit: STEP })
  const limit = shown.filter === filter ? shown.limit : STEP
  const prices = useQuery({
    queryKey: ["prices", search, limit],
    queryFn: ({ signal }) => client.prices.list({ ...search, limit }, { signal }),
    placeholderData: keepPreviousData
  })
  const again = () => cache.invalidateQueries({ queryKey: ["prices"] })
  return (
    <Page
      title="Prices"
      about="What providers are paid, in US dollars: the prices that came with the program, and your own, which count instead."
      actions={
        <DialogButton label="Add a price" title="Add a price" look="primary">
          {(close) => (
            <AddPriceForm
              onCancel={close}
              onDone={() => {
                void again()
                close()
              }}
            />
          )}
        </DialogButton>
      }
    >
      <Filters key={filter} search={search} />
      {prices.isPending ? <Loading /> : null}
      {prices.isError ? <Failure error={prices.error} retry={() => void prices.refetch()} /> : null}
      {prices.data === undefined ? null : prices.data.length === 0 ? (
        <Empty title="No such prices">
          <p>
            Look for another provider or model, or add a price. A model without one can be asked, and its cost is not
            known.
          </p>
        </Empty>
      ) : (
        <div className="stack" aria-busy={prices.isPlaceholderData}>
          <PriceTable prices={prices.data} onEnd={again} />
          {prices.data.length >= limit && limit < MOST ? (
            <div className="row">
              <Button
                busy={prices.isPlaceholderData}
                onClick={() => setShown({ filter, limit: Math.min(MOST, limit + STEP) })}
              >
                Show more
              </Button>
              <span className="soft small">{count(prices.data.length)} shown, by provider, model and unit</span>
            </div>
          ) : null}
        </div>
      )}
    </Page>
  )
}

const Filters = ({ search }: { readonly search: PricesSearch }) => {
  const navigate = useNavigate({ from: "/operator/prices" })
  const [provider, setProvider] = useState(search.provider ?? "")
  const [model, setModel] = useState(search.model ?? "")
  return (
    <form
      className="filters"
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        void navigate({
          search: ({ ended, own }) => ({
            ...(own && { own }),
            ...(ended && { ended }),
            ...(provider.trim() !== "" && { provider: provider.trim() }),
            ...(model.trim() !== "" && { model: model.trim() })
          })
        })
      }}
    >
      <Field label="Provider" maxLength={100} value={provider} onChange={({ target }) => setProvider(target.value)} />
      <Field label="Model" maxLength={200} value={model} onChange={({ target }) => setModel(target.value)} />
      <Button type="submit">Find</Button>
      <Check
        label="Only your own"
        checked={search.own === true}
        onChange={({ target }) =>
          void navigate({
            search: ({ own: _, ...rest }) => ({ ...rest, ...(target.checked && { own: true as const }) })
          })
        }
      />
      <Check
        label="Ended ones too"
        checked={search.ended === true}
        onChange={({ target }) =>
          void navigate({
            search: ({ ended: _, ...rest }) => ({ ...rest, ...(target.checked && { ended: true as const }) })
          })
        }
      />
    </form>
  )
}

const PER: Readonly<Record<number, string>> = { 1: "each", 1000: "a thousand", 1_000_000: "a million" }

const isOver = ({ until }: OperatorPrice) => until !== null && Date.parse(until) <= Date.now()

const PriceTable = ({
  onEnd,
  prices
}: {
  readonly prices: ReadonlyArray<OperatorPrice>
  readonly onEnd: () => Promise<unknown>
}) => {
  const client = useOperator()
  return (
    <Table
      label="Prices"
      rows={prices}
      rowKey={({ id }) => id}
      columns={[
        { title: "Provider", cell: ({ provider }) => provider },
        { title: "Model", cell: ({ model }) => <span className="wrap">{model}</span> },
        {
          title: "Of",
          cell: ({ service_tier, tier_start, unit }) => (
            <div className="stack tight">
              <span>{unitText(unit)}</span>
              {service_tier === "standard" ? null : <span className="small soft">Tier {service_tier}</span>}
              {tier_start === 0 ? null : (
                <span className="small soft">Requests of more than {count(tier_start)} tokens of input</span>
              )}
            </div>
          )
        },
        // Every digit: prices are compared by them.
        {
          title: "US dollars",
          number: true,
          cell: ({ amount, per }) => (
            <span className="price">
              ${amount} {PER[per] ?? `for ${count(per)}`}
            </span>
          )
        },
        {
          title: "Holds",
          cell: ({ since, until }) => (
            <div className="stack tight small">
              <span>{since === null ? "From the start" : `From ${moment(since)}`}</span>
              {until === null ? null : <span>to {moment(until)}</span>}
            </div>
          )
        },
        {
          title: "Source",
          cell: ({ own, source }) =>
            own ? <span className="badge good">Your own</span> : <span className="soft">{source}</span>
        },
        {
          title: "End",
          cell: (price) =>
            !price.own || isOver(price) ? (
              "–"
            ) : (
              <Confirm
                label="End"
                look="plain"
                title="End this price?"
                action="End it now"
                run={() => client.prices.end(price.id).then(onEnd)}
              >
                From now on the price that came with the program counts again, if there is one. What answers cost before
                stays.
              </Confirm>
            )
        }
      ]}
    />
  )
}
