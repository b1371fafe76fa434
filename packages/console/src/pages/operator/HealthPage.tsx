import type { OperatorHealth, TargetHealth } from "@llm-saas/client"
import { useQuery } from "@tanstack/react-query"
import { Empty } from "../../ui/Empty.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { Figure, Figures } from "../../ui/Figures.tsx"
import { count, duration } from "../../ui/format.ts"
import { Loading } from "../../ui/Loading.tsx"
import { Page } from "../../ui/Page.tsx"
import { Table } from "../../ui/Table.tsx"
import { useOperator } from "./useOperator.ts"

const AGAIN_MS = 5000

/** How providers are, and what waits to be sent. Read again every few seconds while the tab is seen. */
export const HealthPage = () => {
  const client = useOperator()
  const health = useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => client.health({ signal }),
    refetchInterval: AGAIN_MS
  })
  return (
    <Page
      title="Health"
      about={`Providers as the process that answers knows them, and what all processes have still to send. Read again every ${AGAIN_MS / 1000} s.`}
    >
      {health.isPending ? <Loading /> : null}
      {health.isError ? <Failure error={health.error} retry={() => void health.refetch()} /> : null}
      {health.data === undefined ? null : <Health health={health.data} />}
    </Page>
  )
}

const BREAKERS: Readonly<Record<TargetHealth["breaker"], readonly [string, string]>> = {
  closed: ["good", "Questions are sent"],
  open: ["bad", "No questions are sent"],
  trying: ["warn", "Being tried again"]
}

const oldest = (seconds: number) => `the oldest waits for ${duration(seconds * 1000)}`

const Health = ({ health: { mail, targets, tracking } }: { readonly health: OperatorHealth }) => (
  <>
    <Figures label="What waits">
      <Figure
        title="Answers that MLflow has not"
        value={count(tracking.pending)}
        about={tracking.pending === 0 ? "None waits" : oldest(tracking.oldest_seconds)}
      />
      <Figure
        title="Answers that MLflow refuses"
        value={count(tracking.parked)}
        about={tracking.parked === 0 ? "None" : "They are kept, and not sent again by themselves"}
      />
      <Figure
        title="Mails to be sent"
        value={count(mail.waiting)}
        about={mail.waiting === 0 ? "None waits" : oldest(mail.oldest_seconds)}
      />
    </Figures>
    {targets.length === 0 ? (
      <Empty title="No models yet">
        <p>A model at a provider is listed once there is one in the configuration.</p>
      </Empty>
    ) : (
      <Table
        label="Models at providers"
        rows={targets}
        rowKey={({ model, provider }) => `${provider} ${model}`}
        columns={[
          { title: "Provider", cell: ({ provider }) => provider },
          { title: "Model", cell: ({ model }) => model },
          {
            title: "Breaker",
            cell: ({ breaker, retry_seconds }) => (
              <div className="row">
                <span className={`badge ${BREAKERS[breaker][0]}`}>{breaker}</span>
                <span className="soft small">
                  {BREAKERS[breaker][1]}
                  {retry_seconds === null ? "" : `, for ${duration(retry_seconds * 1000)} more`}
                </span>
              </div>
            )
          },
          { title: "Tenants that wait", number: true, cell: ({ tenants_waiting }) => count(tenants_waiting) }
        ]}
      />
    )}
  </>
)
