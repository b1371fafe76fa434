/** A failure of the console's own whose message is a sentence for people. */
export class Told extends Error {
  override readonly name: string = "Told"
}
