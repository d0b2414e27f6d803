/**
 * A Yjs document as plain JSON. An update names a root type, but not what it is, so roots are told
 * apart by what is live in them, which every replica agrees on, garbage collected or not:
 * - nothing live: left out, as if never used;
 * - only keyed children: a map, thus an object;
 * - only a list: text, thus a string, if there is text, a format or an embed in it, else an array
 *   (an XML fragment is an array of its nodes);
 * - both (an XML element, a text with attributes): `{ attributes, children }`.
 * Nested types say what they are: an XML element is `{ name, attributes, children }`, XML text a
 * string, a hook an object. Texts leave out formats and embeds, as Y.Text.toString does. Binary
 * is base64, a subdocument `{ guid }`, undefined and non-finite numbers are null, an integer past
 * 2^53 is its digits as a string. Keys are sorted.
 */
import * as Y from "yjs"
import type { Json } from "../engine.ts"
import { base64, objectOf, plainJson } from "../plain-json.ts"
import { loadDocument } from "./document.ts"
import { asEngineError } from "./failure.ts"
import { typeKind } from "./type-kind.ts"

/** Any shared type: only the fields that all of them have are read. */
type SharedType = Pick<Y.Map<unknown>, "_start" | "_map">

/** O(content). @throws EngineError `invalid-update`. */
export function jsonOf(state: Uint8Array): Json {
  return asEngineError(() => {
    const document = loadDocument(state, { gc: true })
    const roots: [string, Json][] = []
    for (const [name, type] of document.share) {
      const json = rootJson(type)
      if (json !== undefined) roots.push([name, json])
    }
    return objectOf(roots)
  })
}

function rootJson(type: SharedType): Json | undefined {
  const attributes = keyedEntries(type)
  const items = [...liveItems(type)]
  if (items.length === 0) return attributes.length === 0 ? undefined : objectOf(attributes)
  const children = items.some(isTextual) ? textOf(type) : listOf(type)
  return attributes.length === 0 ? children : { attributes: objectOf(attributes), children }
}

function* liveItems(type: SharedType): Generator<Y.Item> {
  for (let item = type._start; item !== null; item = item.right) {
    if (!item.deleted) yield item
  }
}

function isTextual({ content }: Y.Item): boolean {
  return (
    content instanceof Y.ContentString ||
    content instanceof Y.ContentFormat ||
    content instanceof Y.ContentEmbed
  )
}

function keyedEntries(type: SharedType): [string, Json][] {
  const entries: [string, Json][] = []
  for (const [key, item] of type._map) {
    if (item.deleted) continue
    const value = contentValues(item).at(-1)
    if (value !== undefined) entries.push([key, value])
  }
  return entries
}

function textOf(type: SharedType): string {
  let text = ""
  for (const { content } of liveItems(type)) {
    if (content instanceof Y.ContentString) text += content.str
  }
  return text
}

function listOf(type: SharedType): Json[] {
  const values: Json[] = []
  for (const item of liveItems(type)) {
    for (const value of contentValues(item)) values.push(value)
  }
  return values
}

/** The values that an item puts into a list; a map's value is the last of them. */
function contentValues({ content }: Y.Item): readonly Json[] {
  if (content instanceof Y.ContentAny || content instanceof Y.ContentJSON) {
    return content.arr.map(plainJson)
  }
  if (content instanceof Y.ContentString) return content.getContent().map(plainJson)
  if (content instanceof Y.ContentBinary) return [base64(content.content)]
  if (content instanceof Y.ContentEmbed) return [plainJson(content.embed)]
  if (content instanceof Y.ContentType) return [typeJson(content.type)]
  if (content instanceof Y.ContentDoc) return [{ guid: content.doc.guid }]
  return []
}

function typeJson(type: SharedType): Json {
  switch (typeKind(type)) {
    case "text":
    case "xml-text":
      return textOf(type)
    case "map":
    case "xml-hook":
      return objectOf(keyedEntries(type))
    case "xml-element": {
      const name = type instanceof Y.XmlElement ? type.nodeName : ""
      return { attributes: objectOf(keyedEntries(type)), children: listOf(type), name }
    }
    default:
      return listOf(type)
  }
}
