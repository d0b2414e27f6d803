/**
 * The boot record: a random id of the last opening, kept twice, in the database and in a small file
 * beside it. A database that was put back, copied or exchanged without the file, or the file
 * without it, shows as two ids that differ. A folder put back or copied whole does not show here;
 * peers show that (rule [E3]). Rule [E2].
 *
 * The file is staged under another name before the commit that puts the id into the database, and
 * renamed after it. A crash before the commit leaves the old pair and a staged file that matches
 * nothing; a crash after it leaves a staged file that matches the database, which is as good.
 */
import { randomBytes } from "node:crypto"
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs"
import { join } from "node:path"
import { parseOriginId } from "@causeway/crdt/base"
import type { OriginId } from "@causeway/crdt/base"
import { errorCode } from "./errors.ts"
import { syncDirectory } from "./directory.ts"

export const BOOT_FILE = "causeway.boot"

/** Far above any record; a longer file is none. */
const bootFileBytesMax = 4096

export type BootRecord = {
  /** 16 hex digits. */
  readonly boot: string
  readonly origin: OriginId
  /** Where the own log stood at that opening; it never ends before. */
  readonly openedSeq: number
}

export function mintBoot(): string {
  return randomBytes(8).toString("hex")
}

/** The record beside the database that has this id; undefined if there is none. */
export function findBootFile(directory: string, boot: string | undefined): BootRecord | undefined {
  const paths = [bootPath(directory), stagedPath(directory)]
  return paths.map(readRecord).find((record) => record !== undefined && record.boot === boot)
}

function bootPath(directory: string): string {
  return join(directory, BOOT_FILE)
}

function stagedPath(directory: string): string {
  return `${bootPath(directory)}.new`
}

function readRecord(path: string): BootRecord | undefined {
  try {
    const text = readFileSync(path, "utf8")
    return text.length > bootFileBytesMax ? undefined : parseBootRecord(JSON.parse(text))
  } catch (error) {
    if (error instanceof SyntaxError || errorCode(error) === "ENOENT") return undefined
    throw error
  }
}

function parseBootRecord(value: unknown): BootRecord | undefined {
  if (typeof value !== "object" || value === null) return undefined
  if (!("boot" in value) || !("origin" in value) || !("openedSeq" in value)) return undefined
  const { boot, openedSeq } = value
  const origin = typeof value.origin === "string" ? parseOriginId(value.origin) : undefined
  if (typeof boot !== "string" || typeof openedSeq !== "number" || origin === undefined) {
    return undefined
  }
  return { boot, origin, openedSeq }
}

/** Writes the record durably under the other name. */
export function stageBootFile(directory: string, record: BootRecord): void {
  const descriptor = openSync(stagedPath(directory), "w", 0o600)
  try {
    writeSync(descriptor, `${JSON.stringify(record)}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  syncDirectory(directory)
}

/** The staged record takes the place of the old one. */
export function publishBootFile(directory: string): void {
  renameSync(stagedPath(directory), bootPath(directory))
  syncDirectory(directory)
}
