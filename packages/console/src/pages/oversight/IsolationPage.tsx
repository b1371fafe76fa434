import type { IsolationCheck, IsolationReport, Profile } from "@llm-saas/client"
import { useQuery } from "@tanstack/react-query"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { Button } from "../../ui/Button.tsx"
import { Facts } from "../../ui/Facts.tsx"
import { Failure } from "../../ui/Failure.tsx"
import { count, momentToSecond } from "../../ui/format.ts"
import { Loading } from "../../ui/Loading.tsx"
import { Page } from "../../ui/Page.tsx"
import { Snippet } from "../../ui/Snippet.tsx"
import { Table } from "../../ui/Table.tsx"
import "./oversight.css"

/** That no other tenant reaches this one: checked when the page is opened, and made to be printed. */
export const IsolationPage = () => {
  const profile = useProfile()
  const report = useQuery({
    queryKey: ["isolation", profile.tenant_id],
    queryFn: ({ signal }) => client.tenants.isolation(profile.tenant_id, { signal })
  })
  return (
    <Page
      title="Isolation report"
      about={`Whether the tenants of this installation are kept apart by the database itself. For ${profile.tenant.name}.`}
      actions={
        <>
          <Button className="no-print" busy={report.isFetching} onClick={() => void report.refetch()}>
            Check again
          </Button>
          <Button
            className="no-print"
            look="primary"
            disabled={report.data === undefined}
            onClick={() => window.print()}
          >
            Print
          </Button>
        </>
      }
    >
      {report.isPending ? <Loading what="Checking" /> : null}
      {report.isError ? <Failure error={report.error} retry={() => void report.refetch()} /> : null}
      {report.data === undefined ? null : <Report report={report.data} profile={profile} />}
    </Page>
  )
}

const Report = ({ profile, report }: { readonly report: IsolationReport; readonly profile: Profile }) => {
  const rules = report.checks.filter(({ kind }) => kind === "rule")
  const trials = report.checks.filter(({ kind }) => kind === "trial")
  const kept = rules.filter(({ findings }) => findings === 0)
  const tries = trials.reduce((sum, { tried }) => sum + tried, 0)
  return (
    <>
      <p className={`note ${report.ok ? "good" : "bad"}`} role="status">
        <strong>
          {report.ok
            ? "Nothing was found."
            : `${count(report.findings.length)} findings: tenants are not proven to be apart.`}
        </strong>{" "}
        {count(kept.length)} of {count(rules.length)} rules are kept; {count(tries)} tries
        {trials.every(({ findings }) => findings === 0) ? " ended as they must." : " were made."}
      </p>
      <Facts
        of={[
          [
            "Checked",
            <>
              <time dateTime={report.checked_at}>{momentToSecond(report.checked_at)}</time> ({report.checked_at})
            </>
          ],
          [
            "Tenant",
            <>
              {profile.tenant.name} <code>{profile.tenant_id}</code>
            </>
          ],
          [
            "Database",
            <>
              PostgreSQL {report.server_version}, schema version {report.schema_version}
            </>
          ],
          [
            "Tried as",
            <>
              <code>{report.login}</code>, the login that serves requests
            </>
          ]
        ]}
      />
      {report.findings.length === 0 ? null : (
        <section className="stack" aria-labelledby="findings">
          <h2 id="findings">Findings</h2>
          <Table
            label="Findings"
            rows={report.findings}
            rowKey={({ check, detail, object }) => `${check} ${object} ${detail}`}
            columns={[
              { title: "Check", cell: ({ check }) => textOf(check) },
              { title: "Object", cell: ({ object }) => <code>{object}</code> },
              { title: "What", cell: ({ detail }) => detail }
            ]}
          />
        </section>
      )}
      <Checks
        title="What was tried"
        about="Rows of a tenant are made, and each is asked for, changed and deleted by who must not. All of it is rolled back."
        checks={trials}
        number="Tries"
      />
      <Checks
        title="Rules of the schema"
        about="Each is a view of sql/lint, named for what breaks it, with a row for each thing that does."
        checks={rules}
        number="Looked at"
      />
      {report.notes.length === 0 ? null : (
        <section className="stack tight" aria-labelledby="notes">
          <h2 id="notes">What it cannot check</h2>
          <ul>
            {report.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </section>
      )}
      <Repeat tenant={profile.tenant_id} />
    </>
  )
}

/** Names of rules have underscores for blanks. */
const textOf = (name: string) => name.replaceAll("_", " ")

interface ChecksProps {
  readonly title: string
  readonly about: string
  readonly checks: ReadonlyArray<IsolationCheck>
  /** What the number of a check is. */
  readonly number: string
}

const Checks = ({ about, checks, number, title }: ChecksProps) => (
  <div className="stack tight">
    <h2>{title}</h2>
    <p className="soft small">{about}</p>
    <Table
      label={title}
      rows={checks}
      rowKey={({ name }) => name}
      columns={[
        { title: "Check", cell: ({ name }) => textOf(name) },
        { title: number, number: true, cell: ({ tried }) => count(tried) },
        {
          title: "Outcome",
          cell: ({ findings }) =>
            findings === 0 ? (
              <span className="badge good">✓ nothing found</span>
            ) : (
              <span className="badge bad">{count(findings)} found</span>
            )
        }
      ]}
    />
  </div>
)

const Repeat = ({ tenant }: { readonly tenant: string }) => {
  const steps = [
    [
      "The operator of the installation makes a login for your auditor, who sees this tenant's rows and no others:",
      `npm run audit:grant -- --tenant ${tenant} --days 7`
    ],
    [
      "It prints a line for psql. The auditor puts the address in it into LINE, runs the checks, and reads in the same file what they do:",
      'psql "$LINE" -f sql/audit/scripts/isolation.sql'
    ],
    ["Each broken rule is a row of this:", 'psql "$LINE" -c "select * from lint.findings()"'],
    [
      "And tries to see what is another tenant's, of which there must be none:",
      `psql "$LINE" -c "select count(*) from audit.messages where tenant_id <> '${tenant}'"`
    ],
    ["Who runs the server repeats the whole report:", "npm run audit:isolation"]
  ] as const
  return (
    <section className="stack" aria-labelledby="repeat">
      <h2 id="repeat">How an auditor repeats it</h2>
      <p className="soft small">Nothing of the program has to be trusted for it: the database answers by itself.</p>
      <ol className="steps">
        {steps.map(([text, command]) => (
          <li key={command}>
            <div>{text}</div>
            <Snippet label={text} text={command} />
          </li>
        ))}
      </ol>
    </section>
  )
}
