/**
 * A record database in a `Level`. A browser's has no lock of its own, so a Web Lock stands in. It
 * can be taken from a tab that sleeps, which finds out before it writes ([H8]).
 */
import { Level } from "level"
import { DatabaseError } from "../storage/database.ts"
import type { Operation, RecordDatabase } from "../storage/database.ts"
import { failureCode } from "./failures.ts"
import { indexedDbOf, writeAll } from "./indexed-db.ts"

type Bytes = { readonly keyEncoding: "view"; readonly valueEncoding: "view" }
const bytes: Bytes = { keyEncoding: "view", valueEncoding: "view" }
/** How much a cursor fetches at a time. */
const pageRecords = 100
/** Less than it takes others to rob a tab that sleeps. */
const lookMs = 600

export class LevelRecords implements RecordDatabase {
  readonly #name: string
  #level: Level<Uint8Array, Uint8Array> | undefined
  #unlock: (() => void) | undefined
  /** Who the browser takes us for. */
  #holder: string | undefined
  #lookedAtMs = 0
  #takesOver = false
  #onForgone: (() => void) | undefined

  constructor(name: string) {
    this.#name = name
  }

  async open(): Promise<void> {
    await this.#lock()
    const level = new Level<Uint8Array, Uint8Array>(this.#name, bytes)
    const opening = level.open()
    const forgone = new Promise<never>((_, reject) => {
      this.#onForgone = () => reject(closed())
    })
    try {
      await Promise.race([opening, forgone])
      this.#level = level
    } catch (error) {
      this.#release()
      // It may still come to open.
      opening.then(() => level.close()).catch(() => undefined)
      throw asDatabaseError(error)
    }
  }

  forgo(): void {
    this.#onForgone?.()
    const level = this.#level
    if (level === undefined) return
    this.#level = undefined
    this.#release()
    level.close().catch(() => undefined)
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return asking(() => this.#open.get(key))
  }

  async *range(
    from: Uint8Array,
    to: Uint8Array,
  ): AsyncGenerator<readonly [Uint8Array, Uint8Array]> {
    const iterator = this.#open.iterator({ gte: from, lt: to })
    try {
      for (;;) {
        const page = await asking(() => iterator.nextv(pageRecords))
        if (page.length === 0) return
        yield* page
      }
    } finally {
      await iterator.close()
    }
  }

  takeOver(): void {
    this.#takesOver = true
  }

  async batch(operations: readonly Operation[]): Promise<void> {
    await this.#look()
    const database = indexedDbOf(this.#open)
    if (database !== undefined) return asking(() => writeAll(database, this.#name, operations))
    const list = operations.map(([key, value]) => {
      return value === undefined
        ? ({ type: "del", key } as const)
        : ({ type: "put", key, value } as const)
    })
    // Unknown to a browser, and ignored there.
    const durable = { sync: true }
    await asking(() => this.#open.batch(list, durable))
  }

  async close(): Promise<void> {
    const level = this.#level
    this.#level = undefined
    await level?.close()
    this.#release()
  }

  get #open(): Level<Uint8Array, Uint8Array> {
    if (this.#level === undefined) throw closed()
    return this.#level
  }

  async #lock(): Promise<void> {
    const locks = "window" in globalThis || "importScripts" in globalThis ? webLocks() : undefined
    if (locks === undefined || this.#unlock !== undefined) return
    const options = this.#takesOver ? { steal: true } : { ifAvailable: true }
    const granted = await new Promise<boolean>((resolve, reject) => {
      const held = locks.request(this.#lockName, options, (lock) => {
        resolve(lock !== null)
        if (lock === null) return undefined
        return new Promise<void>((unlock) => {
          this.#unlock = unlock
        })
      })
      held.catch((error: unknown) => {
        this.#unlock = undefined
        reject(error)
      })
    }).catch((error: unknown) => {
      throw asDatabaseError(error)
    })
    if (!granted) throw blocked()
    this.#takesOver = false
    this.#holder = await this.#holderOf(locks)
    this.#lookedAtMs = performance.now()
  }

  /** Makes sure that the lock was not taken away while the tab slept. */
  async #look(): Promise<void> {
    const locks = webLocks()
    const atMs = performance.now()
    if (this.#holder === undefined || atMs - this.#lookedAtMs < lookMs) return
    const isHeld = locks !== undefined && (await this.#holderOf(locks)) === this.#holder
    if (this.#unlock === undefined || !isHeld) throw blocked()
    this.#lookedAtMs = atMs
  }

  async #holderOf(locks: LockManager): Promise<string | undefined> {
    const { held = [] } = await locks.query()
    return held.find(({ name }) => name === this.#lockName)?.clientId
  }

  get #lockName(): string {
    return `causeway:${this.#name}`
  }

  #release(): void {
    this.#unlock?.()
    this.#unlock = undefined
  }
}

function closed(): DatabaseError {
  return new DatabaseError("closed", "the database is closed")
}

function blocked(): DatabaseError {
  return new DatabaseError("blocked", "another tab or client has the storage open")
}

/** Node has locks too, but LevelDB's own there keep other processes out as well. */
function webLocks(): LockManager | undefined {
  return "navigator" in globalThis ? navigator.locks : undefined
}

async function asking<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw asDatabaseError(error)
  }
}

function asDatabaseError(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error
  let reason = error
  while (reason instanceof Error && reason.cause instanceof Error) reason = reason.cause
  const message = reason instanceof Error ? reason.message : String(reason)
  return new DatabaseError(failureCode(reason), message, { cause: error })
}
