/** A record database in a `Level`. A browser's has no lock of its own, so a Web Lock stands in. */
import { Level } from "level"
import { DatabaseError } from "../storage/database.ts"
import type { Operation, RecordDatabase } from "../storage/database.ts"
import { failureCode } from "./failures.ts"

type Bytes = { readonly keyEncoding: "view"; readonly valueEncoding: "view" }
const bytes: Bytes = { keyEncoding: "view", valueEncoding: "view" }
/** How much a cursor fetches at a time. */
const pageRecords = 100

export class LevelRecords implements RecordDatabase {
  readonly #name: string
  #level: Level<Uint8Array, Uint8Array> | undefined
  #unlock: (() => void) | undefined

  constructor(name: string) {
    this.#name = name
  }

  async open(): Promise<void> {
    await this.#lock()
    const level = new Level<Uint8Array, Uint8Array>(this.#name, bytes)
    try {
      await level.open()
      this.#level = level
    } catch (error) {
      this.#release()
      throw asDatabaseError(error)
    }
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

  async batch(operations: readonly Operation[]): Promise<void> {
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
    if (this.#level === undefined) throw new DatabaseError("closed", "the database is closed")
    return this.#level
  }

  async #lock(): Promise<void> {
    const locks = "window" in globalThis || "importScripts" in globalThis ? webLocks() : undefined
    if (locks === undefined || this.#unlock !== undefined) return
    const granted = await new Promise<boolean>((resolve, reject) => {
      const held = locks.request(`causeway:${this.#name}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null)
        if (lock === null) return undefined
        return new Promise<void>((unlock) => {
          this.#unlock = unlock
        })
      })
      held.catch(reject)
    }).catch((error: unknown) => {
      throw asDatabaseError(error)
    })
    if (!granted) throw new DatabaseError("blocked", "another tab or client has the storage open")
  }

  #release(): void {
    this.#unlock?.()
    this.#unlock = undefined
  }
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
