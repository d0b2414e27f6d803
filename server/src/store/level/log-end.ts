/**
 * Where LevelDB's log ended after the last batch that succeeded. A batch that failed may stand
 * behind that, whole or in part, and is cut off, so that it can't come back at the next opening,
 * and takes no space on a disk that is full.
 */
import { readdirSync, statSync, truncateSync } from "node:fs"
import { join } from "node:path"
import { errorCode } from "../errors.ts"

type LogFile = { readonly number: number; readonly path: string; readonly size: number }

export class LogEnd {
  readonly #folder: string
  #last: LogFile | undefined

  constructor(folder: string) {
    this.#folder = folder
    this.note()
  }

  /** A batch succeeded: what the log holds now is to stay. */
  note(): void {
    const known = this.#last
    const size = known === undefined ? undefined : sizeOf(known.path)
    // A log that did not grow has a successor.
    const isCurrent = known !== undefined && size !== undefined && size > known.size
    this.#last = isCurrent ? { ...known, size } : this.#logs().at(-1)
  }

  /** Cuts off what failed. */
  cut(): void {
    for (const { number, path, size } of this.#logs()) {
      const { number: last, size: end } = this.#last ?? { number: 0, size: 0 }
      const keep = number < last ? size : number === last ? end : 0
      if (size > keep) truncateSync(path, keep)
    }
  }

  /** What an opening has to write into a table, at most. */
  get bytes(): number {
    return this.#logs().reduce((sum, { size }) => sum + size, 0)
  }

  #logs(): LogFile[] {
    const files = readdirSync(this.#folder).flatMap((name) => {
      const number = /^(\d+)\.log$/.exec(name)?.[1]
      const path = join(this.#folder, name)
      const size = number === undefined ? undefined : sizeOf(path)
      return size === undefined ? [] : [{ number: Number(number), path, size }]
    })
    return files.sort((left, right) => left.number - right.number)
  }
}

/** Undefined if it is gone: LevelDB deletes logs that it has no use for. */
function sizeOf(path: string): number | undefined {
  try {
    return statSync(path).size
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined
    throw error
  }
}
