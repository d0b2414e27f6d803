/**
 * Names of things, as branded strings made only by the parsers here. Everything keyed by them is
 * put in a stable order (plain string order) before it leaves a core.
 */
import { bytesFromHex } from "./bytes.ts"
import { limits } from "./limits.ts"
import { utf8Encode } from "./utf8.ts"

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** Virtual or real milliseconds; only differences and order have a meaning inside a core. */
export type Millis = number

/** A node's name, given by its operator: 1 to 64 of `A–Z a–z 0–9 _ . -`. */
export type NodeId = Branded<"NodeId">

/** One life of one node's log: `node@epoch`, the epoch as 16 lower-case hex digits. */
export type OriginId = Branded<"OriginId">

/** One client's identity for recognising repeated updates: 32 lower-case hex digits. */
export type ClientId = Branded<"ClientId">

/**
 * `engine:name`, or from the second generation on `engine~generation:name`. The engine is part of
 * the key, so one name can't be two kinds of document; so is the generation, so what was deleted
 * and what was created again under its name are two documents. Rule [R1].
 */
export type DocumentId = Branded<"DocumentId">

/** A socket, as its driver numbers it. Never reused within a process. */
export type ConnectionId = number

export const engineNames = ["yjs", "automerge"] as const
export type EngineName = (typeof engineNames)[number]

/** The engine's number on the wire and in the log. Never reused. */
export const engineTags = { yjs: 1, automerge: 2 } as const satisfies Record<EngineName, number>

export function engineOfTag(tag: number): EngineName | undefined {
  return engineNames.find((name) => engineTags[name] === tag)
}

export function parseNodeId(text: string): NodeId | undefined {
  return /^[A-Za-z0-9_.-]{1,64}$/.test(text) ? (text as NodeId) : undefined
}

export function parseOriginId(text: string): OriginId | undefined {
  return /^[A-Za-z0-9_.-]{1,64}@[0-9a-f]{16}$/.test(text) ? (text as OriginId) : undefined
}

/** `epoch`: 8 random bytes, minted when a store is created. */
export function originOf(node: NodeId, epochHex: string): OriginId | undefined {
  return parseOriginId(`${node}@${epochHex}`)
}

export function nodeOfOrigin(origin: OriginId): NodeId {
  return origin.slice(0, origin.lastIndexOf("@")) as NodeId
}

export function parseClientId(text: string): ClientId | undefined {
  return bytesFromHex(text)?.length === 16 ? (text as ClientId) : undefined
}

/**
 * The first generation of a name, which is 1 to `documentNameBytesMax` bytes of UTF-8; anything
 * else gives undefined.
 */
export function documentIdOf(engine: EngineName, name: string): DocumentId | undefined {
  if (name.length === 0 || name.length > limits.documentNameBytesMax) return undefined
  if (!name.isWellFormed()) return undefined
  if (utf8Encode(name).length > limits.documentNameBytesMax) return undefined
  return `${engine}:${name}` as DocumentId
}

export type DocumentParts = {
  readonly engine: EngineName
  readonly name: string
  readonly generation: number
}

export function partsOfDocumentId(document: DocumentId): DocumentParts {
  const colon = document.indexOf(":")
  const tilde = document.indexOf("~")
  const isFirst = tilde < 0 || tilde > colon
  return {
    engine: document.slice(0, isFirst ? colon : tilde) as EngineName,
    name: document.slice(colon + 1),
    generation: isFirst ? 1 : Number(document.slice(tilde + 1, colon)),
  }
}

/** A document as it is named in a store: what is no document's id gives undefined. */
export function parseDocumentId(text: string): DocumentId | undefined {
  const [, tag, digits, name] = /^([a-z]+)(?:~([1-9][0-9]{0,5}))?:(.*)$/s.exec(text) ?? []
  const engine = engineNames.find((known) => known === tag)
  if (engine === undefined || name === undefined || digits === "1") return undefined
  const first = documentIdOf(engine, name)
  const generation = Number(digits ?? 1)
  if (first === undefined || generation > limits.generationMax) return undefined
  return generationOf(first, generation)
}

/** Another generation of the same name. Neither is below 1 nor above `generationMax`. */
export function generationOf(document: DocumentId, generation: number): DocumentId {
  const { engine, name } = partsOfDocumentId(document)
  return (generation === 1 ? `${engine}:${name}` : `${engine}~${generation}:${name}`) as DocumentId
}
