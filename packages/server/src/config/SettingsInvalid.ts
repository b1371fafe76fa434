import { Schema } from "effect"

/** A variable and what was expected. Never the value: it may be a secret. */
export interface BrokenVariable {
  readonly variable: string
  readonly expected: string
}

/** The line for the operator. */
export const lineOf = ({ expected, variable }: BrokenVariable): string =>
  `${variable} is not usable: expected ${expected}`

/** The configuration cannot be used. The message has one line per broken variable, for the operator. */
export class SettingsInvalid extends Schema.TaggedError<SettingsInvalid>()("SettingsInvalid", {
  broken: Schema.NonEmptyArray(Schema.Struct({ variable: Schema.String, expected: Schema.String }))
}) {
  override get message(): string {
    return this.broken.map(lineOf).join("\n")
  }
}
