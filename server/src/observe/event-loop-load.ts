/**
 * How busy the main thread was in the last full window of a fixed length, whoever asks and how
 * often: two scrapers must not shorten each other's windows.
 */
import { performance } from "node:perf_hooks"

/** About a scrape interval; one wake-up per window is all that it costs. */
const processWindowMs = 10_000

export class EventLoopLoad {
  readonly windowMs: number
  readonly #timer: NodeJS.Timeout
  #before = performance.eventLoopUtilization()
  #utilization: number

  constructor(windowMs: number) {
    this.windowMs = windowMs
    // Until the first window is full: since the process started.
    this.#utilization = this.#before.utilization
    this.#timer = setInterval(() => this.#endWindow(), windowMs)
    this.#timer.unref()
  }

  /** From 0 to 1. */
  get utilization(): number {
    return this.#utilization
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #endWindow(): void {
    const now = performance.eventLoopUtilization()
    this.#utilization = performance.eventLoopUtilization(now, this.#before).utilization
    this.#before = now
  }
}

let shared: EventLoopLoad | undefined

/** One for the whole process, as it has one main thread; it lives as long. */
export function processLoad(): EventLoopLoad {
  shared ??= new EventLoopLoad(processWindowMs)
  return shared
}
