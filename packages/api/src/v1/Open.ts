import { Schema } from "effect"

// Bodies of other APIs: the members that matter here, and any others, which go on as they came.

/** An object that may have other members too. */
export const open = <const Fields extends Schema.Struct.Fields>(fields: Fields) =>
  Schema.StructWithRest(Schema.Struct(fields), [Schema.Record(Schema.String, Schema.Unknown)])

/** A member that may be left out or null. */
export const maybe = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

export const whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

export const within = (minimum: number, maximum: number) => Schema.Finite.check(Schema.isBetween({ minimum, maximum }))

export const text = (length: number) => Schema.String.check(Schema.isMaxLength(length))

/** A model by its name here. */
export const ModelName = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(200))

/** Most tokens that a request may ask for. */
export const Tokens = whole(1, 10_000_000)

/** A value that is passed on. */
export const Anything = Schema.Unknown
