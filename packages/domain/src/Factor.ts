import { Schema } from "effect"
import { Problem } from "./ProblemClass.ts"
import { line, uuid } from "./Text.ts"

/** A second factor's id. */
export const FactorId = Schema.String.check(uuid).pipe(Schema.brand("FactorId"))
export type FactorId = typeof FactorId.Type

/** `totp`: one-time codes of an authenticator (RFC 6238). `passkey`: a key that a device or a password manager keeps (WebAuthn). */
export const FactorKind = Schema.Literals(["totp", "passkey"])
export type FactorKind = typeof FactorKind.Type

/** One line, 1 to 200 characters: what people know it by. */
export const FactorName = line(200)

/** A second factor of an account. */
export class Factor extends Schema.Class<Factor>("Factor")({
  id: FactorId,
  kind: FactorKind,
  name: FactorName,
  created_at: Schema.DateTimeUtcFromString,
  /** Null: never. */
  last_used_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  /** Of a passkey: whether it is kept at more places than one device; null: one-time codes. */
  backed_up: Schema.NullOr(Schema.Boolean)
}) {}

/** The second factors of an account. */
export class Factors extends Schema.Class<Factors>("Factors")({
  data: Schema.Array(Factor),
  /** Recovery codes that are not used yet. */
  recovery_codes_left: Schema.Int,
  /** Whether the account must have a second factor: its last one cannot be removed. */
  required: Schema.Boolean
}) {}

/** One-time codes that are being set up. They count from the first code on that is sent back. */
export class NewTotp extends Schema.Class<NewTotp>("NewTotp")({
  id: FactorId,
  /** In base 32, as it is typed into an authenticator. Shown this once. */
  secret: Schema.String,
  /** The same for a QR code: `otpauth://totp/…`. */
  uri: Schema.String
}) {}

/** Recovery codes, which are shown this once. */
export const RecoveryCodes = Schema.Array(Schema.String)

/** A second factor that counts from now on. */
export class AddedFactor extends Schema.Class<AddedFactor>("AddedFactor")({
  factor: Factor,
  /** With the first factor of an account; null: it has some already. */
  recovery_codes: Schema.NullOr(RecoveryCodes)
}) {}

/** What a second factor can be proved with. */
export const FactorMethod = Schema.Literals(["totp", "passkey", "recovery_code"])
export type FactorMethod = typeof FactorMethod.Type

/**
 * The first factor is right, and the account has a second one, or must have one. The login goes on with `challenge`, which is good for
 * `expires_in` seconds and five tries. Without `methods` there is no factor yet: one is set up with the challenge.
 */
export class SecondFactorRequired extends Problem<SecondFactorRequired>()(
  "SecondFactorRequired",
  "second_factor_required",
  {
    challenge: Schema.String,
    methods: Schema.Array(FactorMethod),
    expires_in: Schema.Int,
    /** For `navigator.credentials.get`, where `methods` has `passkey`. */
    passkey: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))
  }
) {}

/** The code or passkey is not right, or was used before. The answer does not say which. */
export class InvalidSecondFactor extends Problem<InvalidSecondFactor>()(
  "InvalidSecondFactor",
  "invalid_second_factor",
  {}
) {}

/** The login must begin anew: the challenge is too old, was answered, or was tried too often; or the account has changed since. */
export class ChallengeEnded extends Problem<ChallengeEnded>()("ChallengeEnded", "challenge_ended", {}) {}

/** The deed wants a recent proof of who asks for it: by a second factor, if the account has one, else by its password. */
export class ProofRequired extends Problem<ProofRequired>()("ProofRequired", "proof_required", {
  methods: Schema.Array(Schema.Literals(["password", "totp", "passkey", "recovery_code"]))
}) {}

/** The account has no such second factor, or none that is being set up. */
export class FactorNotFound extends Problem<FactorNotFound>()("FactorNotFound", "factor_not_found", {}) {}

/** The tenant requires a second factor of this account, and this is its last. */
export class FactorRequired extends Problem<FactorRequired>()("FactorRequired", "factor_required", {}) {}

/** The passkey cannot be added: the device's answer is not right, or the account has it, or too many of them. */
export class PasskeyRefused extends Problem<PasskeyRefused>()("PasskeyRefused", "passkey_refused", {}) {}
