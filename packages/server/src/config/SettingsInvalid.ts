import { Schema } from "effect"

/** A variable and what would have been right. Never the value: it may be a secret. */
export interface BrokenVariable {
  readonly variable: string
  readonly expected: string
}

/** The line for the person who set it. */
export const lineOf = ({ expected, variable }: BrokenVariable): string =>
  `${variable} is not usable: expected ${expected}`

/** The configuration cannot be used. The message has one line for each broken variable, for the person who set it. */
export class SettingsInvalid extends Schema.TaggedError<SettingsInvalid>()("SettingsInvalid", {
  broken: Schema.NonEmptyArray(Schema.Struct({ variable: Schema.String, expected: Schema.String }))
}) {
  override get message(): string {
    return this.broken.map(lineOf).join("\n")
  }
}
