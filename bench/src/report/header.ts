/**
 * The line above the tables that says on what machine, when and with which versions they were made:
 * without it a figure cannot be compared with another.
 */
import { readFileSync, statfsSync } from "node:fs"
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os"
import { join } from "node:path"
import { repositoryRoot } from "../servers/catalog.ts"

const packages = ["@hocuspocus/server", "@y/websocket-server", "better-sqlite3", "ws", "yjs"]
/** Magic number of a file system in memory, where an fsync costs nothing. */
const tmpfsMagic = 0x01021994

/** Machine, date and versions in one line. */
export function headerLine(date: Date): string {
  const model = cpus()[0]?.model.trim() ?? "unknown CPU"
  const memoryGb = Math.round(totalmem() / 1e9)
  const load = loadavg()[0]?.toFixed(1) ?? "?"
  return [
    `${date.toISOString().slice(0, 16)}Z`,
    `${availableParallelism()} × ${model}, ${memoryGb} GB, load ${load} at the start`,
    `Linux ${release()}`,
    `Node ${process.version}`,
    ...packages.map((name) => `${name} ${versionOf(name)}`),
  ].join(" · ")
}

/** What makes the durability figures of `folder` worthless, if anything does. */
export function folderWarning(folder: string): string | undefined {
  if (statfsSync(folder).type !== tmpfsMagic) return undefined
  return `${folder} is a file system in memory: fsync is free there; name a disk with --folder`
}

function versionOf(name: string): string {
  try {
    const path = join(repositoryRoot, "node_modules", name, "package.json")
    const manifest: unknown = JSON.parse(readFileSync(path, "utf8"))
    if (typeof manifest !== "object" || manifest === null || !("version" in manifest)) return "?"
    return String(manifest.version)
  } catch {
    return "?"
  }
}
