import { Redacted } from "effect"
import { weakness } from "../auth/SecretStrength.ts"
import type { BrokenVariable } from "./SettingsInvalid.ts"
import { providersOf } from "./OidcProviders.ts"
import { ENCRYPTION, POSTGRES } from "./Variable.ts"
import { DOLLARS, type Values } from "./Variables.ts"

/** Variables that break a rule between variables. */
export const offences = (values: Values): Array<BrokenVariable> => {
  const rules: ReadonlyArray<readonly [broken: boolean, variable: keyof Values, expected: string]> = [
    [
      values.ALGORITHM !== "HS256" && values.JWT_PRIVATE_KEY_FILE === undefined,
      "JWT_PRIVATE_KEY_FILE",
      `the path of a PEM file with a private key, because ALGORITHM is ${values.ALGORITHM}`
    ],
    [
      values.PROVIDERS_FILE === undefined
        && values.LLM_PROVIDER === "openai"
        && values.OPENAI_API_KEY === undefined
        && values.OPENAI_BASE_URL === undefined,
      "OPENAI_API_KEY",
      "a key, because LLM_PROVIDER is openai and there is no OPENAI_BASE_URL"
    ],
    [
      values.OPENAI_API_VERSION !== undefined && values.OPENAI_BASE_URL === undefined,
      "OPENAI_BASE_URL",
      "the URL of the Azure resource, because OPENAI_API_VERSION is set"
    ],
    [
      values.OPENAI_API_VERSION !== undefined && values.OPENAI_API_KEY === undefined,
      "OPENAI_API_KEY",
      "the key of the Azure resource, because OPENAI_API_VERSION is set"
    ],
    [
      values.TENANT_CREATION === "token" && values.TENANT_CREATION_TOKEN === undefined,
      "TENANT_CREATION_TOKEN",
      "a token, because TENANT_CREATION is token"
    ],
    ...priced(values),
    ...singleSignOn(values),
    ...(values.APP_ENV === "production" ? production(values) : [])
  ]
  return rules.filter(([broken]) => broken).map(([, variable, expected]) => ({ variable, expected }))
}

/** A price for one of the two alone would make the other free. */
const priced = (values: Values): Array<readonly [boolean, keyof Values, string]> => {
  const { LLM_PRICE_INPUT_PER_MILLION: input, LLM_PRICE_OUTPUT_PER_MILLION: output } = values
  return [
    [input === undefined && output !== undefined, "LLM_PRICE_INPUT_PER_MILLION", `${DOLLARS}, beside the output's`],
    [output === undefined && input !== undefined, "LLM_PRICE_OUTPUT_PER_MILLION", `${DOLLARS}, beside the input's`]
  ]
}

/** A provider of one's own is whole or not there, and no two have a name. */
const singleSignOn = (values: Values): Array<readonly [boolean, keyof Values, string]> => {
  const { OIDC_CLIENT_ID: client, OIDC_CLIENT_SECRET: secret, OIDC_ISSUER: issuer } = values
  const names = providersOf(values).map(({ name }) => name)
  return [
    [issuer !== undefined && client === undefined, "OIDC_CLIENT_ID", "a client's id, because OIDC_ISSUER is set"],
    [
      issuer === undefined && (client ?? secret ?? values.OIDC_NAME ?? values.OIDC_TITLE) !== undefined,
      "OIDC_ISSUER",
      "an OpenID Connect issuer, because another variable of OIDC_… is set"
    ],
    [
      new Set(names).size < names.length,
      "OIDC_PROVIDERS",
      "a JSON list of providers whose names differ, from each other and from OIDC_NAME"
    ]
  ]
}

const production = (values: Values): Array<readonly [boolean, keyof Values, string]> => {
  const token = values.TENANT_CREATION_TOKEN
  const weakToken = token === undefined ? undefined : weakness(Redacted.value(token))
  const weak = values.SECRET_KEY === undefined ? "it is missing" : weakness(Redacted.value(values.SECRET_KEY))
  return [
    [
      weak !== undefined,
      "SECRET_KEY",
      `at least 32 random bytes in production, such as \`openssl rand -base64 48\` prints (${weak})`
    ],
    [values.ENCRYPTION_KEY === undefined, "ENCRYPTION_KEY", `${ENCRYPTION}, in production`],
    [
      weakToken !== undefined,
      "TENANT_CREATION_TOKEN",
      `at least 32 random bytes in production, such as \`openssl rand -base64 48\` prints (${weakToken})`
    ],
    [
      values.SMTP_URL !== undefined && values.PUBLIC_URL === undefined,
      "PUBLIC_URL",
      "the URL that people reach the product by, in production, because SMTP_URL is set: links in mails lead there"
    ],
    [
      providersOf(values).length > 0 && values.PUBLIC_URL === undefined,
      "PUBLIC_URL",
      "the URL that people reach the product by, in production, because OIDC_… is set: providers send browsers back there"
    ],
    [values.DATABASE_URL === undefined, "DATABASE_URL", `${POSTGRES}, in production`],
    [values.DEBUG, "DEBUG", "false in production"]
  ]
}
