import { useState } from "react"
import { Button } from "../../ui/Button.tsx"
import { Choice } from "../../ui/Field.tsx"
import { Snippet } from "../../ui/Snippet.tsx"

const PROVIDERS = {
  OpenAI: "OPENAI_API_KEY=sk-…",
  Ollama: "OPENAI_BASE_URL=http://localhost:11434/v1\nLLM_MODEL=llama3.2",
  vLLM: "OPENAI_BASE_URL=http://gpu-1:8000/v1\nLLM_MODEL=Qwen/Qwen2.5-7B-Instruct",
  Together:
    "OPENAI_BASE_URL=https://api.together.xyz/v1\nOPENAI_API_KEY=…\nLLM_MODEL=meta-llama/Llama-3.3-70B-Instruct-Turbo",
  "Azure OpenAI": "OPENAI_BASE_URL=https://NAME.openai.azure.com/openai/v1\nOPENAI_API_KEY=…\nLLM_MODEL=deployment"
} as const

const NAMES = Object.keys(PROVIDERS).filter((name): name is keyof typeof PROVIDERS => name in PROVIDERS)

/** Where the trace of the question is, and how a provider of real answers is plugged in. */
export const ConnectStep = ({
  mlflow,
  mock,
  onNext
}: {
  readonly mlflow: string | null
  readonly mock: boolean
  readonly onNext: () => void
}) => {
  const [provider, setProvider] = useState<keyof typeof PROVIDERS>("OpenAI")
  return (
    <div className="stack">
      <section className="card stack">
        <h2>The trace of your question</h2>
        {mlflow === null ? (
          <p>
            Each question becomes a run and a trace in MLflow, where the installation has one (
            <code>MLFLOW_TRACKING_URI</code>). What is asked until then is sent once there is.
          </p>
        ) : (
          <>
            <p>
              Your question is a run and a trace in MLflow: who asked, which model, tokens, latency and cost. If nothing
              answers there, start it; what was asked before appears too.
            </p>
            <Snippet
              label="Starts MLflow"
              text={`pip install mlflow && mlflow ui --port ${new URL(mlflow).port || "5000"}`}
            />
            <div className="row">
              <a className="button" href={mlflow} target="_blank" rel="noreferrer">
                Open MLflow
              </a>
            </div>
          </>
        )}
      </section>
      <section className="card stack">
        <h2>{mock ? "A provider, for real answers" : "Another provider"}</h2>
        <p>
          These lines in <code>.env</code> or in the environment, and a restart, are all. A tenant can bring a key of
          its own later, in its settings.
        </p>
        <Choice
          label="Provider"
          value={provider}
          onChange={({ target }) => setProvider(NAMES.find((name) => name === target.value) ?? "OpenAI")}
        >
          {NAMES.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </Choice>
        <Snippet label={`Lines of .env for ${provider}`} text={PROVIDERS[provider]} />
      </section>
      <div className="row">
        <Button look="primary" onClick={onNext}>
          Continue
        </Button>
      </div>
    </div>
  )
}
