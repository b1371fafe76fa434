import {
  AddedFactor,
  ChallengeEnded,
  Factor,
  FactorId,
  FactorName,
  FactorNotFound,
  FactorRequired,
  Factors,
  InvalidSecondFactor,
  NewTotp,
  PasskeyRefused,
  ProofRequired,
  RecoveryCodes
} from "@llm-saas/domain/Factor"
import { newPasskey, PasskeyCreation, UsedPasskey } from "@llm-saas/domain/Passkey"
import { InvalidCredentials, TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import * as Examples from "./Examples.ts"
import { proofHeader } from "./Proof.ts"

/** A one-time code as typed: six digits, with a space in the middle or without. */
const Code = Schema.String.check(
  Schema.isPattern(/^[0-9]{3} ?[0-9]{3}$/u, { expected: "a code of six digits" })
).annotate({ examples: ["492039"] })

const RecoveryCode = Schema.String.check(Schema.isMaxCodePoints(64, { expected: "at most 64 characters" })).annotate({
  examples: ["7k3mv-9x2dq-h4t8w-1nz6c-r5bfa"]
})

/** A password to compare with the stored hash. */
const Given = Schema.String.check(Schema.isMaxCodePoints(2048, { expected: "at most 2048 characters" }))

/** What a second factor is proved with: one of these. */
export const givenFactor = {
  code: Schema.optionalKey(Code),
  recovery_code: Schema.optionalKey(RecoveryCode),
  /** As `navigator.credentials.get` answers. */
  passkey: Schema.optionalKey(UsedPasskey)
}

/** What a sealed text of ours has at most. */
export const ChallengeText = Schema.String.check(Schema.isMaxCodePoints(2048, { expected: "at most 2048 characters" }))

/** Exactly one of the members. */
export const exactlyOne = (...names: ReadonlyArray<string>) => {
  const expected = `exactly one of ${names.join(", ")}`
  return Schema.makeFilter(
    (body: object) => (names.filter((name) => name in body).length === 1 ? undefined : `Expected ${expected}`),
    { expected, toJsonSchema: () => ({ oneOf: names.map((name) => ({ required: [name] })) }) }
  )
}

/** What proves who asks. */
export const Prove = Schema.Struct({
  ...givenFactor,
  password: Schema.optionalKey(Given.pipe(Schema.RedactedFromValue)),
  /** With `passkey`: of `POST /me/proof/passkey`. */
  challenge: Schema.optionalKey(ChallengeText)
})
  .check(exactlyOne("password", "code", "recovery_code", "passkey"))
  .annotate({ identifier: "Prove" })

/** A proof, good for `expires_in` seconds. */
export const Proof = Schema.Struct({ proof: Schema.String, expires_in: Schema.Int }).annotate({ identifier: "Proof" })

export const BeginTotp = Schema.Struct({ name: Schema.optionalKey(FactorName) }).annotate({ identifier: "BeginTotp" })
export const ConfirmTotp = Schema.Struct({ code: Code }).annotate({ identifier: "ConfirmTotp" })
export const NewRecoveryCodes = Schema.Struct({ recovery_codes: RecoveryCodes }).annotate({
  identifier: "NewRecoveryCodes"
})
export const FactorList = Schema.Struct({ data: Schema.Array(Factor) }).annotate({ identifier: "FactorList" })

const list = HttpApiEndpoint.get("list", "/me/factors", { success: Factors, error: Unavailable })
  .annotate(Access, "user")
  .annotateMerge(Examples.answers(200, { data: [Examples.factor], recovery_codes_left: 10, required: false }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "My second factors",
      description: "Those that count, and how many recovery codes are left. `required`: the last one cannot be removed."
    })
  )

const prove = HttpApiEndpoint.post("prove", "/me/proof", {
  payload: Prove,
  success: Proof,
  error: [InvalidCredentials, InvalidSecondFactor, ChallengeEnded, TooManyRequests, Unavailable]
})
  .annotate(Access, "user")
  .annotateMerge(Examples.answers(200, { proof: "pf_c2VhbGVk", expires_in: 600 }, { code: "492039" }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Prove once more who you are",
      description:
        "By a second factor; by the password only where the account has none. The `proof` is sent in the header `Proof` with what wants one: changes of factors, and of the password where there is a factor. It is good for this account, until its password changes. A wrong password counts with those at the login, a wrong code with those of its second step."
    })
  )

const beginTotp = HttpApiEndpoint.post("beginTotp", "/me/factors/totp", {
  headers: proofHeader,
  payload: BeginTotp,
  success: NewTotp.pipe(HttpApiSchema.status(201)),
  error: [ProofRequired, Unavailable]
})
  .annotate(Access, "user")
  .annotateMerge(Examples.answers(201, Examples.newTotp, { name: "phone" }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Set up one-time codes",
      description:
        "Shows the secret, this once: type it into an authenticator, or show `uri` as a QR code. The codes count as soon as one of them is sent to `POST /me/factors/totp/confirm`, within 15 minutes, and then replace those there were."
    })
  )

const confirmTotp = HttpApiEndpoint.post("confirmTotp", "/me/factors/totp/confirm", {
  payload: ConfirmTotp,
  success: AddedFactor,
  error: [FactorNotFound, InvalidSecondFactor, TooManyRequests, Unavailable]
})
  .annotate(Access, "user")
  .annotateMerge(
    Examples.answers(200, { factor: Examples.factor, recovery_codes: Examples.recoveryCodes }, { code: "492039" })
  )
  .annotateMerge(
    OpenApi.annotations({
      summary: "Confirm one-time codes",
      description:
        "With the first code of the authenticator they count. An account without recovery codes gets ten of them, shown this once: each replaces a code or passkey once."
    })
  )

/** A passkey to add. */
export const AddPasskey = Schema.Struct({ challenge: ChallengeText, ...newPasskey }).annotate({
  identifier: "AddPasskey"
})

const beginPasskey = HttpApiEndpoint.post("beginPasskey", "/me/factors/passkeys/options", {
  headers: proofHeader,
  success: PasskeyCreation,
  error: [ProofRequired, Unavailable]
})
  .annotate(Access, "user")
  .annotateMerge(Examples.answers(200, Examples.passkeyCreation))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Begin to add a passkey",
      description:
        "A page at PUBLIC_URL gives `options` to `PublicKeyCredential.parseCreationOptionsFromJSON` and `navigator.credentials.create`, and sends the result with the `challenge` to `POST /me/factors/passkeys`, within five minutes."
    })
  )

const addPasskey = HttpApiEndpoint.post("addPasskey", "/me/factors/passkeys", {
  payload: AddPasskey,
  success: AddedFactor.pipe(HttpApiSchema.status(201)),
  error: [ChallengeEnded, PasskeyRefused, Unavailable]
})
  .annotate(Access, "user")
  .annotateMerge(Examples.answers(201, { factor: Examples.passkeyFactor, recovery_codes: null }, Examples.addPasskey))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Add a passkey",
      description:
        "It counts as a second factor from now on. At most ten for an account; one that it has already is refused. An account without recovery codes gets ten of them, shown this once."
    })
  )

const passkeyProof = HttpApiEndpoint.post("passkeyProof", "/me/proof/passkey", {
  success: PasskeyCreation,
  error: Unavailable
})
  .annotate(Access, "user")
  .annotateMerge(Examples.answers(200, Examples.passkeyRequest))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Begin a proof by passkey",
      description:
        "`options` are for `PublicKeyCredential.parseRequestOptionsFromJSON` and `navigator.credentials.get`; the result goes to `POST /me/proof` as `passkey`, with the `challenge`, once and within five minutes."
    })
  )

const remove = HttpApiEndpoint.delete("remove", "/me/factors/:id", {
  headers: proofHeader,
  params: { id: FactorId },
  success: HttpApiSchema.NoContent,
  error: [FactorNotFound, FactorRequired, ProofRequired, Unavailable]
})
  .annotate(Access, "user")
  .annotateMerge(
    OpenApi.annotations({
      summary: "Remove a second factor",
      description:
        "The last one stays where the tenant requires one: set up another before, or replace one-time codes by new ones. Recovery codes go with the last factor."
    })
  )

const recoveryCodes = HttpApiEndpoint.post("recoveryCodes", "/me/factors/recovery-codes", {
  headers: proofHeader,
  success: NewRecoveryCodes,
  error: [FactorNotFound, ProofRequired, Unavailable]
})
  .annotate(Access, "user")
  .annotateMerge(Examples.answers(200, { recovery_codes: Examples.recoveryCodes }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Make new recovery codes",
      description:
        "Ten of them, shown this once, in the place of those there were. For an account with a second factor."
    })
  )

const tenantUser = { id: TenantId, user: UserId }

const listOf = HttpApiEndpoint.get("listOf", "/tenants/:id/users/:user/factors", {
  params: tenantUser,
  success: FactorList,
  error: [TenantNotFound, Unavailable]
})
  .annotate(Access, "admin")
  .annotateMerge(Examples.answers(200, { data: [Examples.factor] }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "A user's second factors",
      description: "Which there are and when they were used; none for a user that does not exist."
    })
  )

const removeOf = HttpApiEndpoint.delete("removeOf", "/tenants/:id/users/:user/factors/:factor", {
  headers: proofHeader,
  params: { ...tenantUser, factor: FactorId },
  success: HttpApiSchema.NoContent,
  error: [TenantNotFound, FactorNotFound, ProofRequired, Unavailable]
})
  .annotate(Access, "admin")
  .annotateMerge(
    OpenApi.annotations({
      summary: "Remove a user's second factor",
      description:
        "For a user who has lost it and the recovery codes: make sure that it is they who ask. Where the tenant requires a factor they set up another with their next login."
    })
  )

/** Second factors of accounts. */
export class FactorsApi extends HttpApiGroup.make("factors")
  .add(
    list,
    prove,
    passkeyProof,
    beginTotp,
    confirmTotp,
    beginPasskey,
    addPasskey,
    remove,
    recoveryCodes,
    listOf,
    removeOf
  )
  .middleware(Authorization)
  .annotateMerge(
    OpenApi.annotations({ title: "Second factors", description: "One-time codes, passkeys and recovery codes." })
  ) {}
