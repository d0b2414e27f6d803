/**
 * The digest of a Yjs document's content. Walks the structs by client and hashes each unit (one
 * clock tick) with what places it: origin, right origin, parent, key; deleted units as ranges
 * only. Struct boundaries, which depend on batching and order, and the content of what is
 * deleted, which depends on garbage collection, leave no trace: units that merely continue the
 * one before (as units inside a struct do) are written as one run wherever structs begin.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import * as Y from "yjs"
import { Writer } from "../../base/writer.ts"
import { EngineError } from "../engine.ts"
import { isPending, loadDocument } from "./document.ts"
import { asEngineError } from "./failure.ts"
import { typeKind } from "./type-kind.ts"
import { writeValue } from "./value-bytes.ts"

const digestVersion = 1
const chunkBytes = 1 << 16

const runTag = { end: 0, deleted: 1, live: 2 } as const
const unitTag = { end: 0, more: 1 } as const
const idTag = { none: 0, id: 1, root: 2 } as const

/** O(content). @throws EngineError `pending` or `invalid-update`. */
export function digestOf(state: Uint8Array): Uint8Array {
  return asEngineError(() => {
    const document = loadDocument(state, { gc: false })
    if (isPending(document)) throw new EngineError("pending", "a predecessor is missing")
    return new DigestWalk(document).run()
  })
}

type Run = { readonly first: Y.Item; readonly ref: number }

class DigestWalk {
  readonly #document: Y.Doc
  readonly #rootNames = new Map<unknown, string>()
  readonly #hash = sha256.create()
  #out = new Writer(chunkBytes)

  constructor(document: Y.Doc) {
    this.#document = document
    for (const [name, type] of document.share) this.#rootNames.set(type, name)
  }

  run(): Uint8Array {
    this.#out.u8(digestVersion)
    const clients = [...this.#document.store.clients].sort(([a], [b]) => a - b)
    for (const [client, structs] of clients) {
      this.#out.varUint(client)
      this.#client(structs)
    }
    return this.#hash.update(this.#out.finish()).digest()
  }

  #client(structs: readonly (Y.Item | Y.GC)[]): void {
    let deletedFrom = -1
    let run: Run | undefined
    let end = 0
    for (const struct of structs) {
      const live = struct instanceof Y.Item && !struct.deleted
      if (run !== undefined && !(live && continues(run, struct))) {
        this.#out.u8(unitTag.end)
        run = undefined
      }
      if (deletedFrom >= 0 && live) {
        this.#deleted(deletedFrom, struct.id.clock)
        deletedFrom = -1
      }
      if (!live && deletedFrom < 0) deletedFrom = struct.id.clock
      if (live) {
        if (run === undefined) run = this.#startRun(struct)
        this.#units(struct.content, run.ref)
      }
      end = struct.id.clock + struct.length
      if (this.#out.length > chunkBytes) this.#flush()
    }
    if (run !== undefined) this.#out.u8(unitTag.end)
    if (deletedFrom >= 0) this.#deleted(deletedFrom, end)
    this.#out.u8(runTag.end)
  }

  #flush(): void {
    this.#hash.update(this.#out.finish())
    this.#out = new Writer(chunkBytes)
  }

  #deleted(from: number, to: number): void {
    this.#out.u8(runTag.deleted).varUint(from).varUint(to)
  }

  #startRun(item: Y.Item): Run {
    const ref = item.content.getRef()
    this.#out.u8(runTag.live).varUint(item.id.clock).u8(ref)
    this.#id(item.origin)
    this.#id(item.rightOrigin)
    const { parent } = item
    const root = this.#rootNames.get(parent)
    if (root !== undefined) this.#out.u8(idTag.root).string(root)
    else this.#id(parent instanceof Y.AbstractType ? (parent._item?.id ?? null) : null)
    if (item.parentSub === null) this.#out.u8(0)
    else this.#out.u8(1).string(item.parentSub)
    return { first: item, ref }
  }

  #id(id: Y.ID | null): void {
    if (id === null) this.#out.u8(idTag.none)
    else this.#out.u8(idTag.id).varUint(id.client).varUint(id.clock)
  }

  #units(content: Y.Item["content"], ref: number): void {
    if (content instanceof Y.ContentString) return this.#text(content.str)
    const values = unitsOf(content, ref)
    for (const value of values) {
      this.#out.u8(unitTag.more)
      writeValue(this.#out, value)
    }
  }

  /** UTF-16 units, as these are what clocks count; never 0, which ends a run. */
  #text(text: string): void {
    for (let index = 0; index < text.length; index++) {
      this.#out.varUint(text.charCodeAt(index) + 1)
      if (this.#out.length > chunkBytes) this.#flush()
    }
  }
}

/** Whether the struct's first unit says nothing that the run's last unit does not imply. */
function continues(run: Run, item: Y.Item): boolean {
  const { first } = run
  return (
    item.origin !== null &&
    item.origin.client === item.id.client &&
    item.origin.clock === item.id.clock - 1 &&
    Y.compareIDs(first.rightOrigin, item.rightOrigin) &&
    first.parent === item.parent &&
    first.parentSub === item.parentSub &&
    run.ref === item.content.getRef()
  )
}

/** One value per unit. */
function unitsOf(content: Y.Item["content"], ref: number): readonly unknown[] {
  if (content instanceof Y.ContentAny || content instanceof Y.ContentJSON) return content.arr
  if (content instanceof Y.ContentFormat) return [[content.key, content.value]]
  if (content instanceof Y.ContentEmbed) return [content.embed]
  if (content instanceof Y.ContentBinary) return [content.content]
  if (content instanceof Y.ContentType) return [typeName(content.type)]
  if (content instanceof Y.ContentDoc) return [[content.doc.guid, content.opts]]
  throw new EngineError("invalid-update", `unknown content ${ref}`)
}

function typeName(type: Y.AbstractType<unknown>): readonly string[] {
  if (type instanceof Y.XmlElement) return [typeKind(type), type.nodeName]
  if (type instanceof Y.XmlHook) return [typeKind(type), type.hookName]
  return [typeKind(type)]
}
