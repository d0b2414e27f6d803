/**
 * `causeway doctor`: looks through the data folder of a node that is not running. Exit codes: 0
 * sound, 1 could not look, 2 damaged but nothing lost, 3 entries are lost; after a repair 0 or, if
 * anything was lost, 3. Rules [B5] [B6] [B7].
 */
import { inspectStore } from "../doctor/inspect-store.ts"
import type { Finding, Inspection } from "../doctor/findings.ts"
import { repairFolder } from "../doctor/repair.ts"
import type { Repair } from "../doctor/repair.ts"
import { say } from "./command-error.ts"

export type DoctorOptions = {
  readonly data: string
  readonly repair?: boolean
  readonly json?: boolean
}

const doctorExit = { sound: 0, failed: 1, damaged: 2, lost: 3 } as const

export async function doctor(options: DoctorOptions): Promise<number> {
  const { data, repair = false, json = false } = options
  const before = await inspectStore(data, say)
  const isDue = repair && before.findings.length > 0
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, "-")
  const repaired = isDue ? await repairFolder(data, before, stamp, say) : undefined
  const after = repaired === undefined ? undefined : await inspectStore(data, say)
  const exit = exitOf(before, repaired, after)
  const text = json
    ? JSON.stringify({ verdict: verdictOf(before), exit, ...before, repaired, after }, undefined, 2)
    : [...sayAll(before, data), ...sayRepair(repaired, after)].join("\n")
  process.stdout.write(`${text}\n`)
  return exit
}

function verdictOf({ findings, lostCount }: Inspection): "sound" | "damaged" | "lost" {
  if (lostCount > 0 || findings.some(({ means }) => means === "lost")) return "lost"
  return findings.length === 0 ? "sound" : "damaged"
}

function exitOf(
  before: Inspection,
  repaired: Repair | undefined,
  after: Inspection | undefined,
): number {
  const verdict = verdictOf(before)
  if (repaired === undefined || after === undefined) return doctorExit[verdict]
  if (after.findings.length > 0) return doctorExit[verdictOf(after)]
  const isLost = verdict === "lost" || (repaired.renewed?.lostCount ?? 0) > 0
  return isLost ? doctorExit.lost : doctorExit.sound
}

const advice: Readonly<Record<Finding["means"], string>> = {
  "fresh-epoch": "nothing is lost: the next start begins a fresh epoch",
  repairable: "nothing is lost: --repair puts it right",
  lost: "lost here; what peers hold comes back by itself",
}

function sayAll(inspection: Inspection, data: string): string[] {
  const { node, origin, entries, documents, clients, findings } = inspection
  const lines = [
    `${data} (${inspection.store}): node ${node ?? "unknown"}, origin ${origin ?? "unknown"}, ` +
      `format ${inspection.format}`,
    `${entries} sound entries of ${Object.keys(inspection.vector).length} origins, ` +
      `${documents} documents, ${clients} clients`,
  ]
  if (findings.length === 0) return [...lines, "sound: nothing is wrong with it"]
  for (const { kind, means, message } of findings) {
    lines.push(`  ${means === "lost" ? "LOST" : "    "} [${kind}] ${message}; ${advice[means]}`)
  }
  return [...lines, ...sayLost(inspection)]
}

/** Ranges that are written out; --json has more. */
const rangesShown = 20

function sayLost({ lost, lostCount, findings }: Inspection): string[] {
  if (lostCount === 0) {
    const isLoss = findings.some(({ means }) => means === "lost")
    const isDamage = findings.some(({ means }) => means !== "fresh-epoch")
    if (!isDamage) return ["not damaged: all that was written is there"]
    return [isLoss ? "damaged: something is lost" : "damaged: no entry is lost"]
  }
  const lines = [`damaged: ${lostCount} entries are lost`]
  for (const { origin, fromSeq, toSeq } of lost.slice(0, rangesShown)) {
    lines.push(`  ${origin} ${fromSeq === toSeq ? fromSeq : `${fromSeq} to ${toSeq}`}`)
  }
  if (lost.length > rangesShown) lines.push("  … (--json names more)")
  return lines
}

function sayRepair(repaired: Repair | undefined, after: Inspection | undefined): string[] {
  if (repaired === undefined || after === undefined) return []
  const { kept, renewed } = repaired
  const lines = [`repaired: the node goes on as ${after.origin ?? "a new one"}`]
  if (renewed !== undefined) {
    const { salvaged, lostCount } = renewed
    lines.push(`  ${salvaged} entries were logged again, ${lostCount} could not be read`)
  }
  if (kept !== undefined) lines.push(`  what was damaged is kept as ${kept}`)
  if (after.findings.length === 0) return [...lines, "  it is sound now"]
  return [...lines, "  still wrong:", ...after.findings.map(({ message }) => `    ${message}`)]
}
