/**
 * What the documents of a run hold, for both engines: a map of tokens that only grows, one key per
 * write, which the checks count; and a text, a map and a list in which people also delete, which
 * must be equal everywhere in the end.
 */
import type * as Y from "yjs"
import type { Random } from "./random.ts"

/**
 * An Automerge document of a run; every field appears with its first edit. Tokens are keys of the
 * root: of two maps that are made at once under one key Automerge shows one.
 */
export type PlanContent = {
  [token: `${typeof tokenPrefix}${string}`]: true
  text?: string[]
  map?: Record<string, string>
}

/** Documents stay small in long runs: past it lists and texts only shrink. */
const lengthMax = 300
const keys = 12
const tokenPrefix = "token "

/** One write: its token, and an edit beside it that may delete something. */
export function editYjs(doc: Y.Doc, random: Random, token: string): void {
  doc.transact(() => {
    doc.getMap("tokens").set(token, true)
    const kind = random.int(0, 9)
    if (kind <= 4) editText(doc.getText("text"), random, token)
    else if (kind <= 7) editList(doc.getArray<string>("list"), random, token)
    else doc.getMap("map").set(`key ${random.int(1, keys)}`, token)
  })
}

function editText(text: Y.Text, random: Random, token: string): void {
  const { length } = text
  const deletes = length > lengthMax || random.chance(0.3)
  if (!deletes || length === 0) return text.insert(random.int(0, length), `${token} `)
  const at = random.int(0, length - 1)
  text.delete(at, Math.min(random.int(1, 40), length - at))
}

function editList(list: Y.Array<string>, random: Random, token: string): void {
  const { length } = list
  const deletes = length > lengthMax || random.chance(0.3)
  if (deletes && length > 0) list.delete(random.int(0, length - 1), 1)
  else list.insert(random.int(0, length), [token])
}

/** The same for Automerge, inside a change. */
export function editAutomerge(content: PlanContent, random: Random, token: string): void {
  content[`${tokenPrefix}${token}`] = true
  if (random.chance(0.5)) {
    content.map ??= {}
    content.map[`key ${random.int(1, keys)}`] = token
    return
  }
  content.text ??= []
  const { text } = content
  const deletes = text.length > lengthMax || random.chance(0.3)
  if (deletes && text.length > 0) text.splice(random.int(0, text.length - 1), 1)
  else text.splice(random.int(0, text.length), 0, token)
}

/** What a Yjs replica shows, as a node's JSON has it: roots without content are left out. */
export function shownByYjs(doc: Y.Doc): Record<string, unknown> {
  const shown: Record<string, unknown> = {
    tokens: doc.getMap("tokens").toJSON(),
    map: doc.getMap("map").toJSON(),
    text: doc.getText("text").toJSON(),
    list: doc.getArray("list").toJSON(),
  }
  return withoutEmpty(shown)
}

/** Without fields that are empty: an engine may show an empty root, or not. */
export function withoutEmpty(content: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(content).filter(([, value]) => !isEmpty(value)))
}

function isEmpty(value: unknown): boolean {
  if (value === "" || value === undefined) return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === "object" && value !== null && Object.keys(value).length === 0
}

/** The tokens of a document's JSON. */
export function tokensIn(content: object): string[] {
  const tokens: unknown = "tokens" in content ? content.tokens : undefined
  if (typeof tokens === "object" && tokens !== null) return Object.keys(tokens)
  const keysOfRoot = Object.keys(content).filter((key) => key.startsWith(tokenPrefix))
  return keysOfRoot.map((key) => key.slice(tokenPrefix.length))
}

/** Equal for equal contents: keys in order. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part
    const entries = Object.entries(part)
    return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)))
  })
}
