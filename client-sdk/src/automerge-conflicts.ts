/**
 * The conflicts of an Automerge document: the places where several values were written without
 * knowing of each other. Automerge shows one of them everywhere (that of the greatest operation
 * id) and keeps the others until somebody who knows all of them writes there.
 */
import type * as Automerge from "@automerge/automerge"
import { SyncError } from "./errors.ts"

type Library = typeof Automerge

/** Keys of maps and indexes of lists, from the root. */
export type DocumentPath = readonly (string | number)[]

export type ConflictValue = {
  /** Plain data; an object or a list with all it held when it was last changed. */
  readonly value: unknown
  /** Who wrote it: the Automerge actor, which `AutomergeDocument.actor` is for one's own. */
  readonly actor: string
  /** The operation that wrote it, as Automerge names it: the same on every replica. */
  readonly operation: string
}

export type Conflict = {
  readonly path: DocumentPath
  /** At least two. The first is the one that the document shows. */
  readonly values: readonly ConflictValue[]
}

/** How many are listed at most; the others come up as these are resolved. */
const conflictsMax = 1000

/**
 * Finds them. Asking Automerge about every key is slow (about 20 µs for each), so it is only asked
 * where a patch has said that there may be one.
 */
export class Conflicts {
  readonly #library: Library
  /** Keys by object id; of a list all, as its indexes move. At most what the document holds. */
  readonly #suspects = new Map<string, Set<string> | "all">()
  #searched: { readonly doc: object; readonly found: readonly Conflict[] } | undefined

  constructor(library: Library) {
    this.#library = library
  }

  /**
   * Takes the patches of remote changes: nobody conflicts with what they know. False if `after`
   * does not show what the changes amount to: a patch of Automerge 3.5.0 may say that a key got a
   * second value, and not that this is the one to show. Then the document has to be loaded anew,
   * and noted once more.
   */
  note(patches: readonly Automerge.Patch[], after: object): boolean {
    let isShown = true
    for (const { path, ...patch } of patches) {
      const isOne =
        patch.action === "conflict" ||
        (patch.action === "put" && patch.conflict === true) ||
        (patch.action === "insert" && patch.conflicts?.includes(true) === true)
      const key = path.at(-1)
      if (!isOne || key === undefined) continue
      const parent = valueUnder(after, path.slice(0, -1))
      if (isContainer(parent)) {
        this.#suspect(parent, key)
        isShown &&= patch.action !== "conflict" || this.#showsWinner(parent, key)
      } else isShown &&= typeof parent === "string"
    }
    return isShown
  }

  /** All that the document shows, by path; the same list for the same document. */
  of(doc: object): readonly Conflict[] {
    if (this.#searched?.doc !== doc) {
      this.#searched = { doc, found: this.#suspects.size === 0 ? [] : this.#search(doc) }
    }
    return this.#searched.found
  }

  #showsWinner(parent: object, key: string | number): boolean {
    const shown = valueAt(parent, key)
    const [winner] = valuesAt(this.#library, parent, key)
    // One value after all: another one than before, by a patch that should have been a put.
    if (winner === undefined) return false
    if (isContainer(winner.value) || isContainer(shown)) {
      return isContainer(shown) && this.#library.getObjectId(shown) === winner.operation
    }
    const plain = this.#library.isImmutableString(shown) ? shown.toString() : shown
    // Dates, bytes and counters are fresh objects each time.
    return typeof plain === typeof winner.value && (isObject(plain) || plain === winner.value)
  }

  #suspect(container: object, key: string | number): void {
    const id = this.#library.getObjectId(container)
    if (id === null) return
    const known = this.#suspects.get(id)
    if (known === "all") return
    if (typeof key === "number") this.#suspects.set(id, "all")
    else this.#suspects.set(id, (known ?? new Set()).add(key))
  }

  #search(doc: object): Conflict[] {
    const found: Conflict[] = []
    // A stack instead of recursion: how deep a document goes is its writers' choice.
    const stack = [this.#frameOf(doc)]
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const key = frame.keys[frame.index++]
      if (key === undefined) {
        this.#forget(frame)
        stack.pop()
        continue
      }
      const shown = valueAt(frame.container, key)
      if (frame.suspects === "all" || frame.suspects?.has(String(key)) === true) {
        const all = shownFirst(valuesAt(this.#library, frame.container, key), shown)
        frame.clear &&= all.length === 0
        const path = stack.map(({ keys, index }) => keys[index - 1] ?? 0)
        if (!agree(this.#library, all)) found.push({ path, values: all })
        if (found.length === conflictsMax) return found
      }
      if (isContainer(shown)) stack.push(this.#frameOf(shown))
    }
    return found
  }

  #frameOf(container: object): Frame {
    const id = this.#library.getObjectId(container) ?? ""
    const keys = Array.isArray(container) ? [...container.keys()] : sortedKeys(container)
    return { id, container, keys, index: 0, suspects: this.#suspects.get(id), clear: true }
  }

  /** Only others' changes make a conflict, and then a patch says so. */
  #forget({ id, clear }: Frame): void {
    if (clear) this.#suspects.delete(id)
  }
}

type Frame = {
  readonly id: string
  readonly container: object
  readonly keys: readonly (string | number)[]
  readonly suspects: ReadonlySet<string> | "all" | undefined
  index: number
  /** No key so far with several values, agreeing ones included. */
  clear: boolean
}

/**
 * Writes `value` where the conflict is, so that it is gone for everybody who gets the change.
 * To be called within `change`, with the document as it was before.
 * @throws SyncError `ERR_NO_CONFLICT`.
 */
export function writeResolution(
  library: Library,
  doc: object,
  draft: unknown,
  path: DocumentPath,
  value: unknown,
): void {
  const key = path.at(-1)
  const shown = containerAt(doc, path.slice(0, -1))
  const target = containerAt(draft, path.slice(0, -1))
  if (key === undefined || shown === undefined || target === undefined) throw noConflict(path)
  const values = valuesAt(library, shown, key)
  if (agree(library, values)) throw noConflict(path)
  Reflect.set(target, key, plainCopy(library, value))
}

function containerAt(root: unknown, path: DocumentPath): object | undefined {
  const value = valueUnder(root, path)
  return isContainer(value) ? value : undefined
}

function valueUnder(root: unknown, path: DocumentPath): unknown {
  let value = root
  for (const key of path) value = isContainer(value) ? valueAt(value, key) : undefined
  return value
}

/** Those of one key, if there are several, the one to show first. */
function valuesAt(
  library: Library,
  parent: object,
  key: string | number,
): readonly ConflictValue[] {
  const isKey = Array.isArray(parent) === (typeof key === "number")
  if (!isKey || !Object.hasOwn(parent, key)) return []
  const conflicts = library.getConflicts<object>(parent, toProp(key)) ?? {}
  // Automerge gives them by ascending operation id; the greatest is the one it shows.
  return Object.entries(conflicts)
    .map(([operation, value]) => ({ value, actor: actorOf(operation), operation }))
    .toReversed()
}

/** The document's own value knows more, such as that a string is an ImmutableString. */
function shownFirst(values: readonly ConflictValue[], shown: unknown): readonly ConflictValue[] {
  return values.map((each, index) => (index === 0 ? { ...each, value: shown } : each))
}

/** Two who wrote the same number or text agree, and nobody's value would get lost. */
function agree(library: Library, values: readonly ConflictValue[]): boolean {
  const [first, ...others] = values.map(({ value }) => {
    return library.isImmutableString(value) ? value.toString() : value
  })
  if (typeof first === "object" && first !== null) return false
  return others.every((value) => value === first)
}

/** Their own order is not the same on every replica. */
function sortedKeys(container: object): string[] {
  return Object.keys(container).toSorted((left, right) => (left < right ? -1 : 1))
}

function toProp(key: string | number): never {
  // cast: Automerge's types know the document's type; here any key of any object is asked for.
  return key as never
}

/** `19@f05fe5…`: a counter and the actor. */
function actorOf(operation: string): string {
  return operation.slice(operation.indexOf("@") + 1)
}

function isContainer(value: unknown): value is object {
  return isObject(value) && (Array.isArray(value) || isPlain(value))
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function valueAt(container: object, key: string | number): unknown {
  return Object.hasOwn(container, key) ? Reflect.get(container, key) : undefined
}

/** Automerge refuses to write an object that is part of a document already. */
function plainCopy(library: Library, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((element) => plainCopy(library, element))
  if (library.isCounter(value)) return new library.Counter(value.value)
  if (typeof value !== "object" || value === null || !isPlain(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, plainCopy(library, inner)]),
  )
}

function noConflict(path: DocumentPath): SyncError {
  const text = `there is no conflict at ${JSON.stringify(path)}; somebody may have resolved it`
  return new SyncError("ERR_NO_CONFLICT", text, false)
}
