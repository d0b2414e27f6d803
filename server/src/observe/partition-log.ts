/**
 * The partition reports of a node: the newest `reportsMax`, in a small file in its data folder, so
 * that they survive restarts. A file that can't be read or written costs reports, nothing else.
 * Rule [P5].
 */
import { open, readFile, rename } from "node:fs/promises"
import { join } from "node:path"
import type { NodeId } from "@causeway/crdt/base"
import type { PartitionReport } from "@causeway/crdt/node"
import { errorCode, errorMessage } from "../store/errors.ts"
import type { Log } from "./log.ts"

export const PARTITIONS_FILE = "partitions.json"

/** Reports that are kept. Past it the oldest go. */
export const reportsMax = 100
const format = 1

/** `node`: who saw it so. */
export type KeptReport = PartitionReport & { readonly node: NodeId }

export class PartitionLog {
  readonly #file: string | undefined
  readonly #log: Log
  #reports: readonly KeptReport[]
  #writing: Promise<void> = Promise.resolve()
  #isDue = false

  private constructor(file: string | undefined, reports: readonly KeptReport[], log: Log) {
    this.#file = file
    this.#reports = reports
    this.#log = log
  }

  /** `directory` undefined: nothing is kept beyond the process. */
  static async open(directory: string | undefined, log: Log): Promise<PartitionLog> {
    const file = directory === undefined ? undefined : join(directory, PARTITIONS_FILE)
    return new PartitionLog(file, file === undefined ? [] : await read(file, log), log)
  }

  /** Newest first. */
  get reports(): readonly KeptReport[] {
    return this.#reports
  }

  add(report: KeptReport): void {
    this.#reports = [report, ...this.#reports].slice(0, reportsMax)
    if (this.#isDue) return
    this.#isDue = true
    this.#writing = this.#writing.then(() => this.#write())
  }

  /** Once all that was added is written, or could not be. */
  close(): Promise<void> {
    return this.#writing
  }

  async #write(): Promise<void> {
    this.#isDue = false
    if (this.#file === undefined) return
    const staged = `${this.#file}.new`
    try {
      const handle = await open(staged, "w", 0o600)
      try {
        await handle.writeFile(`${JSON.stringify({ format, reports: this.#reports })}\n`)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(staged, this.#file)
    } catch (error) {
      this.#log.warn({ message: errorMessage(error) }, "partition-report-not-kept")
    }
  }
}

async function read(file: string, log: Log): Promise<KeptReport[]> {
  try {
    const value: unknown = JSON.parse(await readFile(file, "utf8"))
    if (typeof value === "object" && value !== null && "reports" in value) {
      const { reports } = value
      if (Array.isArray(reports)) return reports.filter(isReport).slice(0, reportsMax)
    }
    log.warn({ file }, "partition-reports-unreadable")
  } catch (error) {
    if (errorCode(error) !== "ENOENT") {
      log.warn({ file, message: errorMessage(error) }, "partition-reports-unreadable")
    }
  }
  return []
}

/** Only this program writes the file: what has the outline of a report is one. */
function isReport(value: unknown): value is KeptReport {
  if (typeof value !== "object" || value === null) return false
  const outline = ["node", "sinceMs", "backMs", "members", "here", "there", "both"]
  return outline.every((key) => key in value)
}
