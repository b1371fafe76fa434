import { Schema, SchemaGetter } from "effect"
import { allowed } from "./Limit.ts"
import { Problem } from "./ProblemClass.ts"
import { Tenant, TenantId } from "./Tenant.ts"
import { CONTROLS, isText, uuid, WHITE } from "./Text.ts"

/** A user's id. We generate UUIDv7; any UUID is accepted, so that a foreign id is "not found" and not "malformed". */
export const UserId = Schema.String.check(uuid).pipe(Schema.brand("UserId"))
export type UserId = typeof UserId.Type

/** Longest address in code points, and the characters of its parts: all but white space, controls and another `@`. */
const LONGEST_CHARACTERS = 254
const PART = `[^@${CONTROLS}${WHITE}]`
const ADDRESS = `${PART}{1,64}@${PART}{1,253}`

/** An address as it is stored and compared: NFC, lower case, `local@domain`, 3 to 254 characters. Unique only within a tenant. */
export const Email = Schema.String.check(
  Schema.isPattern(new RegExp(`^${ADDRESS}$`, "u"), { expected: "an email address" }),
  Schema.isMaxCodePoints(LONGEST_CHARACTERS, {
    expected: `an email address of at most ${LONGEST_CHARACTERS} characters`
  })
).pipe(Schema.brand("Email"))
export type Email = typeof Email.Type

const TYPED = new RegExp(`^[${WHITE}]*${ADDRESS}[${WHITE}]*$`, "u")

/** An address as typed: trimmed, NFC-normalised and lower-cased into an {@link Email}. */
export const EmailInput = Schema.String.check(
  Schema.makeFilter((typed) => (isText(typed) && TYPED.test(typed) ? undefined : "Expected an email address"), {
    expected: "an email address",
    toJsonSchema: () => ({ pattern: TYPED.source })
  }),
  Schema.isMaxCodePoints(LONGEST_CHARACTERS, {
    expected: `an email address of at most ${LONGEST_CHARACTERS} characters`
  })
).pipe(
  Schema.decodeTo(Email, {
    decode: SchemaGetter.transform((typed) => typed.trim().normalize("NFC").toLowerCase()),
    encode: SchemaGetter.passthrough()
  })
)

/** A user's rights in their tenant. An `admin` manages users and sees the tenant's records; a `user` sees their own. */
export const Role = Schema.Literals(["admin", "user"])
export type Role = typeof Role.Type

/** A `disabled` user's rows are kept, and the user may not enter; their tokens stop working with the next request. */
export const UserStatus = Schema.Literals(["active", "disabled"])
export type UserStatus = typeof UserStatus.Type

/** A person of one tenant. */
export class User extends Schema.Class<User>("User")({
  id: UserId,
  tenant_id: TenantId,
  email: Email,
  role: Role,
  status: UserStatus,
  created_at: Schema.DateTimeUtcFromString
}) {}

/** A person of one tenant as its admins manage them, with their own limits. */
export class ManagedUser extends Schema.Class<ManagedUser>("ManagedUser")({ ...User.fields, ...allowed }) {}

/** The caller's own user, with their tenant. */
export class Profile extends Schema.Class<Profile>("Profile")({
  ...User.fields,
  tenant: Tenant
}) {}

/** The user does not exist in the caller's tenant. A user of another tenant gets the same answer. */
export class UserNotFound extends Problem<UserNotFound>()("UserNotFound", "user_not_found", {}) {}

/**
 * A user of this tenant has the address already. It reveals that an account exists: only admins get this error, and who has proved to read the
 * address's mail.
 */
export class EmailTaken extends Problem<EmailTaken>()("EmailTaken", "email_taken", {}) {}

/** The change would leave the tenant without an active admin. */
export class LastAdmin extends Problem<LastAdmin>()("LastAdmin", "last_admin", {}) {}

/**
 * Registration was refused: no such tenant, a suspended one, closed registration, or an address that is taken. All reasons get
 * the same answer, so that it reveals no accounts.
 */
export class RegistrationRefused extends Problem<RegistrationRefused>()(
  "RegistrationRefused",
  "registration_refused",
  {}
) {}
