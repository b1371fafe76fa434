import { Encryption, type Place, type WrappedKey } from "@llm-saas/engine/providerKeys/Encryption"
import type { TenantId } from "@llm-saas/domain/Tenant"
import { Effect, Layer, Redacted, Result } from "effect"
import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from "node:crypto"
import { EncryptionKeys, type InstallationKey, type InstallationKeys } from "./EncryptionKeys.ts"

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Envelope encryption by AES-256-GCM (NIST SP 800-38D), with a random nonce for each encryption: a key is used far less than 2³² times. */
export const EncryptionLayer = Layer.effect(
  Encryption,
  Effect.map(EncryptionKeys, ({ all }) =>
    Encryption.of({
      makeKey: (tenant, version) =>
        Effect.map(all, (keys) => {
          const dataKey = randomBytes(KEY_BYTES)
          const wrapped = wrap(keys.current, tenant, version, dataKey)
          dataKey.fill(0)
          return wrapped
        }),
      seal: (secret, key, place) =>
        Effect.map(all, (keys) =>
          withDataKey(keys, place.tenant, key, (dataKey) =>
            encrypt(dataKey, Buffer.from(Redacted.value(secret)), secretIn(place, key.version)).toString("hex")
          )
        ),
      open: (sealed, key, place) =>
        Effect.map(all, (keys) => {
          const bytes = withDataKey(keys, place.tenant, key, (dataKey) =>
            decrypt(dataKey, Buffer.from(sealed, "hex"), secretIn(place, key.version))
          )
          return bytes === undefined ? undefined : Redacted.make(bytes.toString())
        })
    })
  )
)

/** Runs `work` with the data key, which is in memory for no longer. */
const withDataKey = <A>(
  keys: InstallationKeys,
  tenant: TenantId,
  key: WrappedKey,
  work: (dataKey: Buffer) => A
): A | undefined => {
  const dataKey = unwrap(keys, tenant, key)
  if (dataKey === undefined) return undefined
  const done = work(dataKey)
  dataKey.fill(0)
  return done
}

/** The data key encrypted with the installation's current key, if it can be read with any of its keys. */
export const rewrap = (keys: InstallationKeys, tenant: TenantId, key: WrappedKey): WrappedKey | undefined => {
  const dataKey = unwrap(keys, tenant, key)
  return dataKey === undefined ? undefined : wrap(keys.current, tenant, key.version, dataKey)
}

const wrap = ({ id, key }: InstallationKey, tenant: TenantId, version: number, dataKey: Buffer): WrappedKey => ({
  version,
  wrapped: encrypt(key, dataKey, keyOf(tenant, version, id)).toString("hex"),
  wrapped_by: id
})

const unwrap = (
  keys: InstallationKeys,
  tenant: TenantId,
  { version, wrapped, wrapped_by }: WrappedKey
): Buffer | undefined => {
  const found = keys.find(wrapped_by)
  return found === undefined
    ? undefined
    : decrypt(found.key, Buffer.from(wrapped, "hex"), keyOf(tenant, version, wrapped_by))
}

// Associated data: where the encrypted value belongs. Each part is of fixed length, or last. Ids are written by PostgreSQL in lower case.
const keyOf = (tenant: TenantId, version: number, installationKey: string): string =>
  `tenant key ${tenant.toLowerCase()} ${installationKey} ${version}`
const secretIn = ({ id, kind, tenant }: Place, version: number): string =>
  `${kind} ${tenant.toLowerCase()} ${id.toLowerCase()} ${version}`

const encrypt = (key: KeyObject | Buffer, text: Buffer, belongs: string): Buffer => {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(belongs))
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()])
}

/** Undefined: another key, another place, or changed bytes. */
const decrypt = (key: KeyObject | Buffer, sealed: Buffer, belongs: string): Buffer | undefined => {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
  const cipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(belongs))
  cipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  const text = Result.try(() =>
    Buffer.concat([cipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), cipher.final()])
  )
  return Result.isSuccess(text) ? text.success : undefined
}
