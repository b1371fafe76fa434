import { DEFAULT_PREFIX } from "@llm-saas/database/logins/Roles"
import { LoginProviderChoice, LoginProviderName } from "@llm-saas/domain/LoginProvider"
import { AppAddress, ClientId, ClientSecret, Issuer } from "@llm-saas/domain/SingleSignOn"
import { Registration } from "@llm-saas/domain/Tenant"
import { line } from "@llm-saas/domain/Text"
import { type Effect, Schema } from "effect"
import {
  whole,
  DnsServer,
  Flag,
  ListenHost,
  LogLevel,
  Origin,
  Network,
  databaseUrl,
  RolePrefix,
  BaseUrl,
  ENCRYPTION,
  EncryptionKey,
  EncryptionKeys,
  Key,
  decimal,
  TrackingUri,
  SmtpUrl,
  MailFrom,
  PublicUrl,
  Text,
  setting,
  amount,
  temperature,
  proxy,
  noProxy
} from "./Variable.ts"

const SMTP = "a URL such as smtps://user:password@mail.example.com:465, or smtp://… for STARTTLS"

export const DOLLARS = "an amount in US dollars, such as 0.15"

/** Every variable the program reads. `.env.example` explains them; a test keeps the two equal. */
export const VARIABLES = {
  APP_NAME: setting("APP_NAME", "a name of one line", line(100), "llm-saas"),
  APP_ENV: setting(
    "APP_ENV",
    "development, production or test",
    Schema.Literals(["development", "production", "test"]),
    "development"
  ),
  DEBUG: setting("DEBUG", "true or false", Flag, false),
  HOST: setting("HOST", "an address to listen on, such as 127.0.0.1 or 0.0.0.0", ListenHost, "127.0.0.1"),
  PORT: setting("PORT", "a port, 0 to 65535", whole(0, 65_535), 8000),
  SECRET_KEY: setting("SECRET_KEY", "text", Schema.RedactedFromValue(Schema.String), undefined),
  ENCRYPTION_KEY: setting("ENCRYPTION_KEY", ENCRYPTION, EncryptionKey, undefined),
  ENCRYPTION_KEYS_OLD: setting("ENCRYPTION_KEYS_OLD", `${ENCRYPTION}; several with commas between`, EncryptionKeys, []),
  ALGORITHM: setting(
    "ALGORITHM",
    "HS256, RS256, ES256 or EdDSA",
    Schema.Literals(["HS256", "RS256", "ES256", "EdDSA"]),
    "HS256"
  ),
  JWT_PRIVATE_KEY_FILE: setting("JWT_PRIVATE_KEY_FILE", "the path of a PEM file", Text, undefined),
  ACCESS_TOKEN_EXPIRE_MINUTES: amount("ACCESS_TOKEN_EXPIRE_MINUTES", "minutes", 1, 525_600, 60),
  DATABASE_URL: databaseUrl("DATABASE_URL"),
  DATABASE_ADMIN_URL: databaseUrl("DATABASE_ADMIN_URL"),
  DATABASE_JOBS_URL: databaseUrl("DATABASE_JOBS_URL"),
  DATABASE_ROLE_PREFIX: setting(
    "DATABASE_ROLE_PREFIX",
    "how the names of the database's roles begin, such as llm_ or acme_: lower-case letters, digits and underscores, an underscore last, at most 40, and no word that roles are called by (api, owner, …)",
    RolePrefix,
    DEFAULT_PREFIX
  ),
  DATABASE_PREPARE: setting("DATABASE_PREPARE", "true or false", Flag, true),
  DATABASE_POOL_SIZE: amount("DATABASE_POOL_SIZE", "connections", 1, 1000, 10),
  DATABASE_STATEMENT_SECONDS: amount("DATABASE_STATEMENT_SECONDS", "seconds", 1, 3600, 17),
  ALLOWED_ORIGINS: setting(
    "ALLOWED_ORIGINS",
    'a JSON list of origins without a slash at the end, such as ["https://app.example.com"]',
    Schema.fromJsonString(Schema.Array(Origin)),
    []
  ),
  TRUSTED_PROXIES: setting(
    "TRUSTED_PROXIES",
    'a JSON list of addresses or networks, such as ["10.0.0.0/8", "::1"]',
    Schema.fromJsonString(Schema.Array(Network)),
    []
  ),
  REGISTRATION_DEFAULT: setting("REGISTRATION_DEFAULT", "open or closed", Registration, "open"),
  TENANT_CREATION: setting(
    "TENANT_CREATION",
    "open, token or closed",
    Schema.Literals(["open", "token", "closed"]),
    undefined
  ),
  TENANT_CREATION_TOKEN: setting("TENANT_CREATION_TOKEN", "a token of one line, without spaces", Key, undefined),
  OPERATOR_URL: setting(
    "OPERATOR_URL",
    "the URL of the server, without a password or a question mark",
    BaseUrl,
    undefined
  ),
  OPERATOR_TOKEN: setting("OPERATOR_TOKEN", "a token of one line, without spaces", Key, undefined),
  OPERATOR: setting("OPERATOR", "on or off", Schema.Literals(["on", "off"]), "on"),
  TENANTS_PER_ADDRESS: amount("TENANTS_PER_ADDRESS", "tenants", 1, 1_000_000, 300),
  INVITATIONS_PER_TENANT: amount("INVITATIONS_PER_TENANT", "mails a day", 1, 1_000_000, 200),
  REGISTRATIONS_PER_ADDRESS: amount("REGISTRATIONS_PER_ADDRESS", "registrations", 1, 1_000_000, 300),
  MAIL_REQUESTS_PER_ADDRESS: amount("MAIL_REQUESTS_PER_ADDRESS", "requests", 1, 1_000_000, 100),
  LOGIN_FAILURES: amount("LOGIN_FAILURES", "failures", 1, 100_000, 10),
  LOGIN_FAILURES_PER_ADDRESS: amount("LOGIN_FAILURES_PER_ADDRESS", "failures", 1, 100_000, 50),
  LOGIN_FAILURES_PER_ACCOUNT: amount("LOGIN_FAILURES_PER_ACCOUNT", "failures", 1, 100_000, 50),
  LOGIN_WINDOW_MINUTES: amount("LOGIN_WINDOW_MINUTES", "minutes", 1, 1440, 15),
  PASSWORD_MIN_LENGTH: amount("PASSWORD_MIN_LENGTH", "characters", 8, 64, 8),
  SESSION_IDLE_DAYS: amount("SESSION_IDLE_DAYS", "days", 1, 3650, 14),
  SESSION_MAX_DAYS: amount("SESSION_MAX_DAYS", "days", 1, 3650, 90),
  SESSION_REPEAT_SECONDS: amount("SESSION_REPEAT_SECONDS", "seconds", 0, 3600, 30),
  PASSWORD_THREADS: setting("PASSWORD_THREADS", "a whole number of threads, 1 to 64", whole(1, 64), undefined),
  REQUIRE_VERIFIED_EMAIL: setting("REQUIRE_VERIFIED_EMAIL", "true or false", Flag, false),
  SMTP_URL: setting("SMTP_URL", SMTP, SmtpUrl, undefined),
  MAIL_FROM: setting(
    "MAIL_FROM",
    "an address, with or without a name, such as Acme <no-reply@acme.example>",
    MailFrom,
    "llm-saas <no-reply@localhost>"
  ),
  PUBLIC_URL: setting(
    "PUBLIC_URL",
    "a URL such as https://app.example.com, without a slash at the end, a password or a question mark",
    PublicUrl,
    undefined
  ),
  APP_REDIRECT_URIS: setting(
    "APP_REDIRECT_URIS",
    'a JSON list of whole addresses without a fragment, such as ["https://app.example.com/login", "http://127.0.0.1/callback"]',
    Schema.fromJsonString(Schema.Array(AppAddress).check(Schema.isMaxLength(100))),
    ["http://127.0.0.1/callback", "http://[::1]/callback"]
  ),
  SSO_LOGINS_PER_ADDRESS: amount("SSO_LOGINS_PER_ADDRESS", "logins", 1, 1_000_000, 300),
  SSO_PRIVATE_NETWORKS: setting("SSO_PRIVATE_NETWORKS", "true or false", Flag, undefined),
  OIDC_ISSUER: setting("OIDC_ISSUER", "an OpenID Connect issuer, such as https://login.example.com", Issuer, undefined),
  OIDC_CLIENT_ID: setting("OIDC_CLIENT_ID", "a client's id, without spaces", ClientId, undefined),
  OIDC_CLIENT_SECRET: setting("OIDC_CLIENT_SECRET", "the client's secret, of one line", ClientSecret, undefined),
  OIDC_NAME: setting(
    "OIDC_NAME",
    "1 to 40 lower-case letters, digits and hyphens, such as google",
    LoginProviderName,
    undefined
  ),
  OIDC_TITLE: setting("OIDC_TITLE", "a name of one line, at most 60 characters", line(60), undefined),
  OIDC_PROVIDERS: setting(
    "OIDC_PROVIDERS",
    'a JSON list of providers with different names, such as [{"name": "google", "title": "Google", "issuer": "https://accounts.google.com", "client_id": "…", "client_secret": "…"}]',
    Schema.fromJsonString(Schema.Array(LoginProviderChoice).check(Schema.isMaxLength(20))),
    []
  ),
  SSO_DNS_SERVERS: setting(
    "SSO_DNS_SERVERS",
    'a JSON list of addresses, such as ["1.1.1.1", "10.0.0.2:53"]',
    Schema.fromJsonString(Schema.Array(DnsServer)),
    []
  ),
  LLM_PROVIDER: setting("LLM_PROVIDER", "mock or openai", Schema.Literals(["mock", "openai"]), undefined),
  PROVIDERS_FILE: setting("PROVIDERS_FILE", "the path of a YAML or JSON file", Text, undefined),
  OPENAI_API_KEY: setting("OPENAI_API_KEY", "a key of one line, without spaces", Key, undefined),
  OPENAI_BASE_URL: setting(
    "OPENAI_BASE_URL",
    "a URL such as http://localhost:11434/v1, without a password or a question mark",
    BaseUrl,
    undefined
  ),
  OPENAI_API_VERSION: setting(
    "OPENAI_API_VERSION",
    "a version of Azure's API, such as 2024-10-21",
    Schema.String.check(Schema.isPattern(/^[\w.-]{1,50}$/u)),
    undefined
  ),
  LLM_MODEL: setting("LLM_MODEL", "the name of a model", line(200), "gpt-4o-mini"),
  LLM_MAX_TOKENS: amount("LLM_MAX_TOKENS", "tokens", 1, 10_000_000, 1024),
  LLM_TEMPERATURE: temperature("LLM_TEMPERATURE", 0.7),
  LLM_CONNECT_SECONDS: amount("LLM_CONNECT_SECONDS", "seconds", 1, 3600, 10),
  LLM_FIRST_TOKEN_SECONDS: amount("LLM_FIRST_TOKEN_SECONDS", "seconds", 1, 86_400, 60),
  LLM_SILENCE_SECONDS: amount("LLM_SILENCE_SECONDS", "seconds", 1, 86_400, 30),
  LLM_ANSWER_SECONDS: amount("LLM_ANSWER_SECONDS", "seconds", 1, 86_400, 600),
  LLM_RETRIES: amount("LLM_RETRIES", "times", 0, 10, 2),
  HTTPS_PROXY: proxy("HTTPS_PROXY"),
  HTTP_PROXY: proxy("HTTP_PROXY"),
  NO_PROXY: noProxy("NO_PROXY"),
  LLM_PRICE_INPUT_PER_MILLION: setting("LLM_PRICE_INPUT_PER_MILLION", DOLLARS, decimal(1_000_000), undefined),
  LLM_PRICE_OUTPUT_PER_MILLION: setting("LLM_PRICE_OUTPUT_PER_MILLION", DOLLARS, decimal(1_000_000), undefined),
  MOCK_TOKENS: amount("MOCK_TOKENS", "tokens", 1, 1_000_000, 60),
  MOCK_TTFT_MS: amount("MOCK_TTFT_MS", "milliseconds", 0, 600_000, 200),
  MOCK_DELAY_MS: amount("MOCK_DELAY_MS", "milliseconds", 0, 600_000, 20),
  MLFLOW_TRACKING_URI: setting(
    "MLFLOW_TRACKING_URI",
    "a URL such as http://127.0.0.1:5001, without a password; file:./mlruns; or off",
    TrackingUri,
    undefined
  ),
  MLFLOW_EXPERIMENT: setting("MLFLOW_EXPERIMENT", "a name of one line", line(200), "llm-inference"),
  MLFLOW_TENANT_ISOLATION: setting(
    "MLFLOW_TENANT_ISOLATION",
    "experiment or shared",
    Schema.Literals(["experiment", "shared"]),
    "experiment"
  ),
  MLFLOW_LOG_CONTENT: setting(
    "MLFLOW_LOG_CONTENT",
    "full, redacted or off",
    Schema.Literals(["full", "redacted", "off"]),
    undefined
  ),
  MLFLOW_TRACKING_USERNAME: setting("MLFLOW_TRACKING_USERNAME", "a name of one line", Text, undefined),
  MLFLOW_TRACKING_PASSWORD: setting(
    "MLFLOW_TRACKING_PASSWORD",
    "text",
    Schema.RedactedFromValue(Schema.String),
    undefined
  ),
  MLFLOW_TRACKING_TOKEN: setting("MLFLOW_TRACKING_TOKEN", "a token of one line, without spaces", Key, undefined),
  OTEL_EXPORTER_OTLP_ENDPOINT: setting(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "a URL such as http://localhost:4318, without a password or a question mark",
    BaseUrl,
    undefined
  ),
  OTEL_EXPORTER_OTLP_HEADERS: setting(
    "OTEL_EXPORTER_OTLP_HEADERS",
    "headers such as x-api-key=abc,x-team=llm",
    Schema.String.check(
      Schema.isPattern(/^\s*[\w-]+=(?:%[0-9a-f]{2}|[^,%])*(?:,\s*[\w-]+=(?:%[0-9a-f]{2}|[^,%])*)*$/iu)
    ).pipe(Schema.RedactedFromValue),
    undefined
  ),
  METRICS_PORT: setting("METRICS_PORT", "a port, 1 to 65535", whole(1, 65_535), undefined),
  METRICS_HOST: setting(
    "METRICS_HOST",
    "an address to listen on, such as 127.0.0.1 or 0.0.0.0",
    ListenHost,
    "127.0.0.1"
  ),
  METRICS_TOKEN: setting("METRICS_TOKEN", "a token of one line, without spaces", Key, undefined),
  PROMPT_MAX_CHARACTERS: amount("PROMPT_MAX_CHARACTERS", "characters", 1, 10_000_000, 32_000),
  ANSWER_MAX_CHARACTERS: amount("ANSWER_MAX_CHARACTERS", "characters", 1, 10_000_000, 400_000),
  LLM_CONTEXT_TOKENS: amount("LLM_CONTEXT_TOKENS", "tokens", 0, 10_000_000, 4000),
  GENERATIONS_PER_USER: amount("GENERATIONS_PER_USER", "answers", 1, 1_000_000, 20),
  GENERATIONS_PER_TENANT: amount("GENERATIONS_PER_TENANT", "answers", 1, 1_000_000, 100),
  GENERATIONS_WAITING_PER_TENANT: amount("GENERATIONS_WAITING_PER_TENANT", "questions", 0, 1_000_000, 200),
  GENERATIONS_AT_ONCE: amount("GENERATIONS_AT_ONCE", "answers", 1, 1_000_000, 1000),
  READERS_PER_USER: setting(
    "READERS_PER_USER",
    "a whole number of answers, 1 to 1000000",
    whole(1, 1_000_000),
    undefined
  ),
  STREAM_GRACE_SECONDS: amount("STREAM_GRACE_SECONDS", "seconds", 0, 86_400, 30),
  KEEP_ALIVE_SECONDS: amount("KEEP_ALIVE_SECONDS", "seconds", 1, 3600, 65),
  MAX_BODY_BYTES: amount("MAX_BODY_BYTES", "bytes", 1024, 104_857_600, 1_048_576),
  V1_MAX_BODY_MEGABYTES: amount("V1_MAX_BODY_MEGABYTES", "megabytes", 1, 256, 32),
  WORKERS: amount("WORKERS", "processes", 1, 256, 1),
  SHUTDOWN_SECONDS: amount("SHUTDOWN_SECONDS", "seconds", 1, 600, 20),
  LOG_LEVEL: setting("LOG_LEVEL", "debug, info, warning or error", LogLevel, undefined),
  DATA_DIR: setting("DATA_DIR", "a directory", Text, ".data")
}

/** The values of all variables, as decoded one by one. */
export type Values = { readonly [Name in keyof typeof VARIABLES]: Effect.Success<(typeof VARIABLES)[Name]> }
