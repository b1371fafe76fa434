import type { ContentRetention, ContentRetentionChoice } from "@llm-saas/client"
import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { client } from "../../session/session.ts"
import { useProfile } from "../../session/useSession.ts"
import { Check, Field } from "../../ui/Field.tsx"
import { wrongOf } from "../../ui/Failure.tsx"
import { Form } from "../../ui/Form.tsx"
import { Loaded } from "../../ui/Loaded.tsx"
import { Radios } from "../../ui/Radios.tsx"
import { toast } from "../../ui/Toasts.tsx"
import { erases } from "./retention.ts"
import { SettingsPage } from "./SettingsPage.tsx"

const KEY = ["retention"]

/** What is kept of questions and answers. */
export const ContentPage = () => {
  const { tenant_id } = useProfile()
  const retention = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => client.tenants.retention(tenant_id, { signal })
  })
  return (
    <SettingsPage title="Content">
      <Loaded query={retention} what="tenant">
        {(kept) => <RetentionForm key={JSON.stringify(kept)} kept={kept} tenant={tenant_id} />}
      </Loaded>
    </SettingsPage>
  )
}

const RetentionForm = ({ kept, tenant }: { readonly kept: ContentRetention; readonly tenant: string }) => {
  const cache = useQueryClient()
  const [content, setContent] = useState(kept.content)
  const [days, setDays] = useState(String(kept.days ?? 30))
  const [sure, setSure] = useState(false)
  const choice: ContentRetentionChoice = content === "days" ? { content, days: Number(days) } : { content }
  const isSame = content === kept.content && (content !== "days" || Number(days) === kept.days)
  const erased = isSame ? undefined : erases(kept, choice)
  return (
    <div className="form-narrow">
      <Form
        action="Save"
        idle={isSame || (erased !== undefined && !sure)}
        run={() => client.tenants.changeRetention(tenant, choice)}
        onDone={(now) => {
          cache.setQueryData(KEY, now)
          toast("Saved.")
        }}
      >
        {(error) => (
          <>
            <Radios
              label="What is kept of questions and answers"
              value={content}
              onChange={(next) => {
                setContent(next)
                setSure(false)
              }}
              options={[
                { value: "full", label: "Everything", hint: "Until a person deletes it, or is deleted." },
                {
                  value: "days",
                  label: "For a number of days",
                  hint: "Older questions and answers are removed, those that are stored already too.",
                  more: (
                    <Field
                      label="Days"
                      type="number"
                      inputMode="numeric"
                      min={1}
                      max={36_500}
                      step={1}
                      required
                      value={days}
                      onChange={(event) => {
                        setDays(event.target.value)
                        setSure(false)
                      }}
                      wrong={wrongOf(error, "days")}
                    />
                  )
                },
                {
                  value: "none",
                  label: "Nothing",
                  hint: "Texts are removed a minute or two after the answer's end: conversations cannot be read again."
                }
              ]}
            />
            <p className="soft small">
              Who asked when, which model, tokens and cost are kept in any case. What is not kept is not sent to MLflow.
            </p>
            {erased === undefined ? null : (
              <div className="note warn stack tight">
                <p>{erased}</p>
                <Check
                  label="I know that this cannot be undone"
                  checked={sure}
                  onChange={(event) => setSure(event.target.checked)}
                />
              </div>
            )}
          </>
        )}
      </Form>
    </div>
  )
}
