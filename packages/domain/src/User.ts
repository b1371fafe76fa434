import { Schema, SchemaGetter } from "effect"
import { HttpApiError } from "effect/http-api"
import { members, problem } from "./Problem.ts"
import { Tenant, TenantId } from "./Tenant.ts"
import { CONTROLS, isText, uuid, WHITE } from "./Text.ts"

/** Names a user. A UUIDv7, made by us; any UUID is read, so that a foreign id is "not found" and not "malformed". */
export const UserId = Schema.String.check(uuid).pipe(Schema.brand("UserId"))
export type UserId = typeof UserId.Type

/** Characters (code points) of an address, and what its parts are made of: anything but white space, controls and another `@`. */
const LONGEST = 254
const PART = `[^@${CONTROLS}${WHITE}]`
const ADDRESS = `${PART}{1,64}@${PART}{1,253}`

/** An address as it is stored and compared: NFC and lower case, `local@domain`, 3 to 254 characters, none of them blank or a control. Unique within a tenant only. */
export const Email = Schema.String.check(
  Schema.isPattern(new RegExp(`^${ADDRESS}$`, "u"), { expected: "an email address" }),
  Schema.isMaxCodePoints(LONGEST, { expected: `an email address of at most ${LONGEST} characters` })
).pipe(Schema.brand("Email"))
export type Email = typeof Email.Type

const TYPED = new RegExp(`^[${WHITE}]*${ADDRESS}[${WHITE}]*$`, "u")

/** An address as people type it: trimmed, NFC-normalised and lower-cased into an {@link Email}. */
export const EmailInput = Schema.String.check(
  Schema.makeFilter((typed) => (isText(typed) && TYPED.test(typed) ? undefined : "Expected an email address"), {
    expected: "an email address",
    toJsonSchema: () => ({ pattern: TYPED.source })
  }),
  Schema.isMaxCodePoints(LONGEST, { expected: `an email address of at most ${LONGEST} characters` })
).pipe(
  Schema.decodeTo(Email, {
    decode: SchemaGetter.transform((typed) => typed.trim().normalize("NFC").toLowerCase()),
    encode: SchemaGetter.passthrough()
  })
)

/** What a user may do in their tenant. An `admin` manages users and sees the tenant's records; a `user` sees their own. */
export const Role = Schema.Literals(["admin", "user"])
export type Role = typeof Role.Type

/** A `disabled` user keeps their rows and may not enter; their tokens stop working with the next request. */
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

/** The caller's own user, with their tenant. */
export class Profile extends Schema.Class<Profile>("Profile")({
  ...User.fields,
  tenant: Tenant
}) {}

/** The user does not exist in the caller's tenant. Another tenant's user answers exactly so. */
export class UserNotFound extends HttpApiError.Problem<UserNotFound>()(
  "UserNotFound",
  problem("user_not_found"),
  members("user_not_found")
) {}

/** A user of this tenant has the address already. Told to admins only: to a stranger it would answer who has an account. */
export class EmailTaken extends HttpApiError.Problem<EmailTaken>()(
  "EmailTaken",
  problem("email_taken"),
  members("email_taken")
) {}

/** The change would leave the tenant without an active admin, and so lock everybody out. */
export class LastAdmin extends HttpApiError.Problem<LastAdmin>()(
  "LastAdmin",
  problem("last_admin"),
  members("last_admin")
) {}

/**
 * Registration was refused: no such tenant, a suspended one, closed registration, or an address that is taken. Every reason
 * answers alike, so that the answer tells a stranger nothing.
 */
export class RegistrationRefused extends HttpApiError.Problem<RegistrationRefused>()(
  "RegistrationRefused",
  problem("registration_refused"),
  members("registration_refused")
) {}
