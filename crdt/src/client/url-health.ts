/**
 * Which url to try: the one with the fewest failures in a row, ties in the order given. So a
 * working node is kept, and a lost one is failed over from at once.
 */
import { assert } from "../base/index.ts"

export class UrlHealth {
  readonly #urls: readonly string[]
  readonly #failures = new Map<string, number>()

  constructor(urls: readonly string[]) {
    assert(urls.length > 0, "a client needs a url")
    this.#urls = urls
  }

  best(): string {
    let best = ""
    let fewest = Infinity
    for (const url of this.#urls) {
      const failures = this.#failures.get(url) ?? 0
      if (failures >= fewest) continue
      best = url
      fewest = failures
    }
    return best
  }

  /** What the app would rather have than `url`: the first of those named before it. */
  preferredTo(url: string): string | undefined {
    const first = this.#urls[0]
    return first === url ? undefined : first
  }

  failed(url: string): void {
    this.#failures.set(url, (this.#failures.get(url) ?? 0) + 1)
  }

  /** One answered. Others get another chance when it fails next: the past is forgotten. */
  worked(): void {
    this.#failures.clear()
  }
}
