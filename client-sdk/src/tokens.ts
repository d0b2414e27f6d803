/** The app's `token`, asked as the core wishes. */
import type { ClientInput } from "@causeway/crdt/client"

export class Tokens {
  readonly #token: () => unknown
  readonly #hand: (input: ClientInput) => void
  #asked = 0
  #came = 0

  constructor(token: (() => unknown) | undefined, hand: (input: ClientInput) => void) {
    this.#token = token ?? (() => "")
    this.#hand = hand
  }

  /** Answers may overtake each other: one that was asked for before the last that came is old. */
  fetch(): void {
    const asked = ++this.#asked
    void Promise.resolve()
      .then(this.#token)
      .then((text): ClientInput => {
        // An app without types may give anything.
        if (typeof text === "string") return { type: "token", token: text }
        throw new TypeError(`token gave no text, but ${typeof text}`)
      })
      .catch((error: unknown): ClientInput => ({ type: "token-failed", message: String(error) }))
      .then((input) => {
        if (asked < this.#came) return
        this.#came = asked
        this.#hand(input)
      })
  }
}
