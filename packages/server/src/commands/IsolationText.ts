import type { IsolationReport } from "@llm-saas/domain/Isolation"
import { DateTime } from "effect"

/** The report as text: what was tried, what was found, and what cannot be known. */
export const formatReport = (report: IsolationReport): string => {
  const rules = report.checks.filter(({ kind, name }) => kind === "rule" && name !== "catalogue")
  const catalogue = report.checks.filter(({ name }) => name === "catalogue")
  const trials = report.checks.filter(({ kind }) => kind === "trial")
  const kept = rules.filter(({ findings }) => findings === 0).length
  return [
    `Isolation of tenants, tried as ${report.login} at ${DateTime.formatIso(report.checked_at)}`,
    `PostgreSQL ${report.server_version}, schema version ${report.schema_version}`,
    "",
    ...catalogue.map(
      ({ findings, tried }) =>
        `  ${mark(findings === 0)} the catalogue: ${tried} facts, ${findings === 0 ? "all" : `${findings} not`} as sql/ makes them`
    ),
    `  ${mark(kept === rules.length)} ${kept} of ${rules.length} rules are kept`,
    ...trials.map(
      ({ findings, name, tried }) =>
        `  ${mark(findings === 0)} ${name}: ${tried} ${tried === 1 ? "try" : "tries"}${findings === 0 ? "" : `, ${findings} not as it should be`}`
    ),
    "",
    ...(report.ok
      ? ["Nothing was found."]
      : ["Found:", ...report.findings.map(({ check, detail, object }) => `  ${check}: ${object}: ${detail}`)]),
    "",
    ...report.notes
  ].join("\n")
}

const mark = (fine: boolean) => (fine ? "✓" : "✗")
