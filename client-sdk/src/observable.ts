/** A value that changes, as the SDK shows one: the current value, and a call at each change. */
export interface Observable<T> {
  readonly current: T
  /** Calls `listener` at each change from now on. Gives a function that ends it. */
  subscribe(listener: (value: T) => void): () => void
}

export class Listeners<T> {
  readonly #listeners = new Set<(value: T) => void>()

  add(listener: (value: T) => void): () => void {
    // A function of its own, so that one listener may be added twice.
    const entry = (value: T): void => listener(value)
    this.#listeners.add(entry)
    return () => void this.#listeners.delete(entry)
  }

  /** A listener that throws stops neither the others nor the client. */
  call(value: T): void {
    for (const listener of this.#listeners) guarded(() => listener(value))
  }
}

/** Runs the app's code; what it throws becomes an uncaught error, as in an event handler. */
export function guarded(run: () => void): void {
  try {
    run()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

export class State<T> implements Observable<T> {
  readonly #listeners = new Listeners<T>()
  #current: T

  constructor(initial: T) {
    this.#current = initial
  }

  get current(): T {
    return this.#current
  }

  set(value: T): void {
    this.#current = value
    this.#listeners.call(value)
  }

  subscribe(listener: (value: T) => void): () => void {
    return this.#listeners.add(listener)
  }
}
