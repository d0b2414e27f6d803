/**
 * What `useSyncExternalStore` needs of something that changes: a snapshot that stays the very same
 * value until what was selected differs, however often it is asked for.
 */
type Selected<S> = { readonly value: S }

export class Store<T, S> {
  readonly subscribe: (listener: () => void) => () => void
  readonly #read: () => T
  #version = 0
  /** Without a subscription nothing tells that a version is over. */
  #isLive = false
  #last: (Selected<S> & { readonly version: number; readonly select: unknown }) | undefined

  constructor(read: () => T, observe: (listener: () => void) => () => void) {
    this.#read = read
    this.subscribe = (listener) => {
      this.#version++
      this.#isLive = true
      const end = observe(() => {
        this.#version++
        listener()
      })
      return () => {
        this.#isLive = false
        end()
      }
    }
  }

  select(select: (value: T) => S, isEqual: (one: S, other: S) => boolean = isSame): S {
    const last = this.#last
    const version = this.#version
    if (last !== undefined && this.#isLive && last.version === version && last.select === select) {
      return last.value
    }
    const found = select(this.#read())
    const value = last !== undefined && isEqual(last.value, found) ? last.value : found
    this.#last = { value, version, select }
    return value
  }
}

export function nothingToObserve(): () => void {
  return () => undefined
}

/** Plain data and the SDK's errors by value, anything else by identity. */
function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (!isObject(one) || !isObject(other)) return false
  if (one instanceof Error && other instanceof Error) {
    return one.message === other.message && codeOf(one) === codeOf(other)
  }
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((value, index) => isSame(value, other[index]))
  }
  if (!isPlain(one) || !isPlain(other)) return false
  const [keys, others] = [Object.keys(one), Object.keys(other)]
  return (
    keys.length === others.length &&
    keys.every((key) => Object.hasOwn(other, key) && isSame(one[key], other[key]))
  )
}

function codeOf(error: Error): unknown {
  return "code" in error ? error.code : undefined
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null
}

function isPlain(value: object): value is Record<string, unknown> {
  return Object.getPrototypeOf(value) === Object.prototype
}
