/** Which shared type an instance is, by its class: some of them extend others. */
import * as Y from "yjs"

export type TypeKind =
  | "array"
  | "map"
  | "text"
  | "xml-element"
  | "xml-fragment"
  | "xml-hook"
  | "xml-text"
  /** A root that nobody has asked for by type: an update does not say what it is. */
  | "untyped"

const kinds = new Map<unknown, TypeKind>([
  [Y.Array, "array"],
  [Y.Map, "map"],
  [Y.Text, "text"],
  [Y.XmlElement, "xml-element"],
  [Y.XmlFragment, "xml-fragment"],
  [Y.XmlHook, "xml-hook"],
  [Y.XmlText, "xml-text"],
])

export function typeKind(type: object): TypeKind {
  return kinds.get(type.constructor) ?? "untyped"
}
