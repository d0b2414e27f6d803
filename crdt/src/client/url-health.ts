/**
 * Which url to try: the one with the fewest failures in a row, ties in the order given. So a
 * working node is kept, and a lost one is failed over from at once. One that refused for good is
 * not tried again. Rule [C4].
 */
import { assert } from "../base/index.ts"

export class UrlHealth {
  readonly #urls: readonly string[]
  readonly #failures = new Map<string, number>()
  readonly #refused = new Set<string>()

  constructor(urls: readonly string[]) {
    assert(urls.length > 0, "a client needs a url")
    this.#urls = urls
  }

  best(): string {
    let best = ""
    let fewest = Infinity
    for (const url of this.#urls) {
      const failures = this.#failures.get(url) ?? 0
      if (failures >= fewest || this.#refused.has(url)) continue
      best = url
      fewest = failures
    }
    return best
  }

  /** What the app would rather have than `url`: the first of those named before it. */
  preferredTo(url: string): string | undefined {
    const first = this.#urls[0]
    return first === url || this.#refused.has(first ?? "") ? undefined : first
  }

  /** True if no other is left to try. */
  refused(url: string): boolean {
    this.#refused.add(url)
    return this.#urls.every((other) => this.#refused.has(other))
  }

  /** The app wants all to be tried again. */
  forgetRefusals(): void {
    this.#refused.clear()
  }

  failed(url: string): void {
    this.#failures.set(url, (this.#failures.get(url) ?? 0) + 1)
  }

  /** One answered. Others get another chance when it fails next: the past is forgotten. */
  worked(): void {
    this.#failures.clear()
  }
}
