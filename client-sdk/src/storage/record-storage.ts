/**
 * Client storage in a record database: LevelDB, IndexedDB or SQLite. Calls are carried out one
 * after the other; a write is one batch. After a batch that failed the database is opened anew,
 * because LevelDB takes no more until then, and a browser may have closed it. Rules
 * [C8] [C10] [C11].
 */
import { bytesConcat, parseClientId } from "@causeway/crdt/base"
import type { ClientId, DocumentId } from "@causeway/crdt/base"
import type {
  ClientStorage,
  DamagedRecord,
  DocumentListResult,
  DocumentReadResult,
  LoadResult,
  RejectedUpdate,
  StorageFailure,
  StorageResult,
  StorageWrite,
  StoredClient,
  StoredUpdate,
} from "@causeway/crdt/ports"
import { guarded } from "../observable.ts"
import { StoredCopies } from "./copies.ts"
import { DatabaseError } from "./database.ts"
import type { Operation, RecordDatabase } from "./database.ts"
import * as records from "./records.ts"

export type RecordStorageOptions = {
  /** How long a write waits for others before all of them become one batch. */
  readonly flushMs: number
}

const ok = true as const
const identityKey = records.keyOf("identity")
const nextSeqKey = records.keyOf("nextSeq")
const tiersKey = records.keyOf("tiers")

export class RecordStorage implements ClientStorage {
  readonly #database: RecordDatabase
  readonly #copies: StoredCopies
  readonly #flushMs: number
  #tail: Promise<void> = Promise.resolve()
  /** Numbers in the outbox, and some that were. */
  readonly #outbox = new Set<number>()
  #nextSeq = 1
  /** Undefined until `load`. */
  #client: ClientId | undefined
  #isOpen = false
  /** By a client that has not closed it. */
  #isTaken = false
  #isClosing = false
  #hurry: (() => void) | undefined

  constructor(database: RecordDatabase, { flushMs }: RecordStorageOptions) {
    this.#database = database
    this.#copies = new StoredCopies(database)
    this.#flushMs = flushMs
  }

  takeOver(): void {
    this.#database.takeOver?.()
  }

  load(fresh: ClientId, done: (result: LoadResult) => void): void {
    this.#isClosing = false
    this.#then<LoadResult>(async () => {
      // Two clients of one identity would give the same numbers to different updates.
      if (this.#isTaken) return { ok: false, code: "blocked", message: "another client has it" }
      // Another may have had it since it was closed.
      this.#copies.failed()
      const stored = await this.#load(fresh)
      this.#isTaken = true
      return { ok, stored }
    }, done)
  }

  forgo(): void {
    // What hangs may be of another client, which waits for it.
    if (!this.#isTaken) this.#database.forgo?.()
  }

  write(writes: readonly StorageWrite[], done: (result: StorageResult) => void): void {
    this.#then(async () => {
      await this.#flushDelay()
      await this.#write(writes)
      return { ok }
    }, done)
  }

  read(document: DocumentId, done: (result: DocumentReadResult) => void): void {
    this.#then(async () => {
      const { stored, isDamaged } = await this.#copies.read(document)
      const damage = { kind: "document", document } as const
      return { ok, stored, damaged: isDamaged ? [damage] : [] }
    }, done)
  }

  list(done: (result: DocumentListResult) => void): void {
    this.#then(async () => {
      return { ok, documents: await this.#copies.list() }
    }, done)
  }

  close(done: () => void): void {
    this.#isClosing = true
    this.#hurry?.()
    this.#tail = this.#tail.then(async () => {
      this.#isOpen = false
      this.#isTaken = false
      await this.#database.close().catch(() => undefined)
      done()
    })
  }

  /** Runs after all that was called before. */
  #then<T>(run: () => Promise<T>, done: (result: T | StorageFailure) => void): void {
    this.#tail = this.#tail.then(async () => {
      const result = await this.#try(run)
      // What comes next does not wait for what the caller makes of it.
      guarded(() => done(result))
    })
  }

  async #try<T>(run: () => Promise<T>): Promise<T | StorageFailure> {
    try {
      if (!this.#isOpen) await this.#open()
      return await run()
    } catch (error) {
      this.#copies.failed()
      if (this.#isOpen) await this.#database.close().catch(() => undefined)
      this.#isOpen = false
      const code = error instanceof DatabaseError ? error.code : "failed"
      return { ok: false, code, message: String(error) }
    }
  }

  async #open(): Promise<void> {
    await this.#database.open()
    this.#isOpen = true
    if (this.#client === undefined) return
    if ((await this.#database.get(identityKey)) !== undefined) return
    // The browser threw it away under our hands.
    this.#copies.evicted()
    await this.#database.batch([
      sealed(identityKey, records.encodeText(this.#client)),
      sealed(nextSeqKey, records.encodeNumber(this.#nextSeq)),
    ])
  }

  async #flushDelay(): Promise<void> {
    if (this.#flushMs === 0 || this.#isClosing) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#flushMs)
      this.#hurry = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#hurry = undefined
  }

  async #load(fresh: ClientId): Promise<StoredClient> {
    const damaged: DamagedRecord[] = []
    const aside: Operation[] = []
    const outbox: StoredUpdate[] = []
    const rejected: RejectedUpdate[] = []
    const { outbox: outboxRange, rejected: rejectedRange } = ranges
    for await (const [key, value] of this.#database.range(...outboxRange)) {
      const seq = records.numberOf(key)
      const update = records.unseal(key, value, records.decodeUpdate(seq))
      if (update !== undefined) outbox.push(update)
      else takeAside({ kind: "outbox", seq }, [key, value], damaged, aside)
    }
    for await (const [key, value] of this.#database.range(...rejectedRange)) {
      const seq = records.numberOf(key)
      const update = records.unseal(key, value, records.decodeRejected(seq))
      if (update !== undefined) rejected.push(update)
      else takeAside({ kind: "rejected", seq }, [key, value], damaged, aside)
    }
    const isNew = outbox.length + rejected.length + damaged.length === 0
    const tiers = await this.#one(tiersKey, records.decodeBytes)
    if (tiers.isDamaged) takeAside({ kind: "tiers" }, tiers.operation, damaged, aside)
    const { client, nextSeq } = await this.#identity(fresh, isNew, damaged, aside)
    // Of another client's numbers, which may be higher.
    const isRenewed = damaged.some(({ kind }) => kind === "identity")
    if (isRenewed) aside.push([tiersKey, undefined])
    const above = [...outbox, ...rejected, ...damaged].reduce((most, record) => {
      return "seq" in record ? Math.max(most, record.seq + 1) : most
    }, nextSeq)
    const isAsStored = client !== fresh && above === nextSeq && aside.length === 0
    if (!isAsStored) {
      aside.push(sealed(identityKey, records.encodeText(client)))
      aside.push(sealed(nextSeqKey, records.encodeNumber(above)))
      // Only if there is anything new to say: what is full may still be read.
      await this.#database.batch(aside)
    }
    this.#nextSeq = above
    this.#client = client
    for (const { seq } of outbox) this.#outbox.add(seq)
    const known = isRenewed ? undefined : tiers.value
    return { client, outbox, nextSeq: above, rejected, tiers: known, damaged }
  }

  /** Without its number, or the next one to give, numbers might be given twice: a new identity. */
  async #identity(
    fresh: ClientId,
    isNew: boolean,
    damaged: DamagedRecord[],
    aside: Operation[],
  ): Promise<{ readonly client: ClientId; readonly nextSeq: number }> {
    const identity = await this.#one(identityKey, records.decodeText)
    const next = await this.#one(nextSeqKey, records.decodeNumber)
    const client = parseClientId(identity.value ?? "")
    const nextSeq = next.value ?? 1
    if (client !== undefined && next.value !== undefined) return { client, nextSeq }
    const isAbsent = identity.operation === undefined && next.operation === undefined
    if (isNew && isAbsent) return { client: fresh, nextSeq }
    damaged.push({ kind: "identity" })
    for (const { isDamaged, operation } of [identity, next]) {
      if (isDamaged && operation !== undefined) aside.push(...asideOf(operation))
    }
    return { client: fresh, nextSeq }
  }

  async #one<T>(
    key: Uint8Array,
    decode: Parameters<typeof records.unseal<T>>[2],
  ): Promise<{
    readonly value: T | undefined
    readonly isDamaged: boolean
    readonly operation: Operation | undefined
  }> {
    const found = await this.#database.get(key)
    if (found === undefined) return { value: undefined, isDamaged: false, operation: undefined }
    const value = records.unseal(key, found, decode)
    return { value, isDamaged: value === undefined, operation: [key, found] }
  }

  async #write(writes: readonly StorageWrite[]): Promise<void> {
    const operations: Operation[] = []
    const trimmed: number[] = []
    let nextSeq = this.#nextSeq
    for (const write of writes) {
      if ("update" in write) nextSeq = Math.max(nextSeq, write.update.seq + 1)
      if (write.type === "outbox-add") this.#outbox.add(write.update.seq)
      if ("document" in write) await this.#copies.write(write, operations)
      else if (write.type !== "outbox-trim") operations.push(...operationsOf(write))
      else trimmed.push(...[...this.#outbox].filter((seq) => seq <= write.seq))
    }
    for (const seq of trimmed) operations.push([records.numberKey("outbox", seq), undefined])
    if (nextSeq > this.#nextSeq) operations.push(sealed(nextSeqKey, records.encodeNumber(nextSeq)))
    await this.#database.batch(operations)
    this.#copies.done()
    this.#nextSeq = nextSeq
    for (const write of writes) if (write.type === "client") this.#client = write.client
    for (const seq of trimmed) this.#outbox.delete(seq)
  }
}

const ranges = { outbox: records.rangeOf("outbox"), rejected: records.rangeOf("rejected") }

function sealed(key: Uint8Array, value: Uint8Array): Operation {
  return [key, records.seal(key, value)]
}

function takeAside(
  record: DamagedRecord,
  operation: Operation | undefined,
  damaged: DamagedRecord[],
  aside: Operation[],
): void {
  damaged.push(record)
  if (operation !== undefined) aside.push(...asideOf(operation))
}

function asideOf([key, value]: Operation): Operation[] {
  return [
    [records.quarantineKey(bytesConcat([key])), value],
    [key, undefined],
  ]
}

type PlainWrite = Exclude<
  StorageWrite,
  { readonly document: DocumentId } | { readonly type: "outbox-trim" }
>

function operationsOf(write: PlainWrite): Operation[] {
  switch (write.type) {
    case "outbox-add": {
      const { update, shelved } = write
      const key = records.numberKey("outbox", update.seq)
      const added = sealed(key, records.encodeUpdate(update))
      if (shelved === undefined) return [added]
      return [added, [records.numberKey("rejected", shelved), undefined]]
    }
    case "rejected-add": {
      const { seq } = write.update
      const shelved = records.encodeRejected(write.update)
      return [
        [records.numberKey("outbox", seq), undefined],
        sealed(records.numberKey("rejected", seq), shelved),
      ]
    }
    case "rejected-remove":
      return [[records.numberKey("rejected", write.seq), undefined]]
    case "tiers":
      return [sealed(tiersKey, records.encodeBytes(write.state))]
    case "client":
      return [sealed(identityKey, records.encodeText(write.client))]
  }
}
