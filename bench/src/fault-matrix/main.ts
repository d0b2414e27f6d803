/**
 * `npm run fault-matrix`: plays the partition and crash cases in which sync servers are known to
 * lose writes, against Causeway and against Hocuspocus, and prints who lost what. Exit code 1 when
 * anything is found at Causeway. Invariant: no process, no mount and no data outlives this one.
 */
import { rmSync } from "node:fs"
import { mkdtemp, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { headerLine } from "../report/header.ts"
import { killAllServers } from "../servers/server-process.ts"
import { parseMatrixOptions } from "./options.ts"
import type { MatrixOptions } from "./options.ts"
import { killAllRedis, redisProgram } from "./redis.ts"
import { failuresOf, renderFates, renderKnown, renderMeanings } from "./report.ts"
import { renderRemarks, renderVerdicts } from "./report.ts"
import type { Matrix } from "./report.ts"
import { playAll, skippedOf } from "./runs.ts"
import { unmountAll, whyNoSmallDisk } from "./small-disk.ts"

/** Exit code of a program ended by SIGINT. */
const interrupted = 130

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

function list({ cases, contenders }: MatrixOptions): void {
  for (const { name, title } of cases) console.log(`case      ${name.padEnd(24)} ${title}`)
  for (const { name, label } of contenders) console.log(`contender ${name.padEnd(24)} ${label}`)
}

function print(header: string, matrix: Matrix): readonly string[] {
  console.log(`${header}\n`)
  for (const why of new Set(matrix.skipped.map((one) => one.why))) {
    const what = matrix.skipped
      .filter((one) => one.why === why)
      .map((one) => `${one.case} (${one.contender})`)
    console.log(`Skipped: ${why}: ${what.join(", ")}\n`)
  }
  console.log(`## Who lost what\n\n${renderVerdicts(matrix)}\n\n${renderMeanings()}\n`)
  console.log(`## What was seen\n\n${renderFates(matrix)}\n`)
  const remarks = renderRemarks(matrix)
  if (remarks !== "") console.log(`${remarks}\n`)
  const known = renderKnown(matrix)
  if (known !== "") console.log(`## What was known of Hocuspocus 4.7.0\n\n${known}\n`)
  const failures = failuresOf(matrix)
  for (const failure of failures) console.log(`FAILED ${failure}`)
  return failures
}

async function main(): Promise<number> {
  const options = parseMatrixOptions(process.argv.slice(2))
  if (options.list) {
    list(options)
    return 0
  }
  const header = headerLine(new Date())
  say(header)
  const root = await mkdtemp(join(options.folder, "causeway-matrix-"))
  process.on("exit", () => {
    killAllServers()
    killAllRedis()
    unmountAll()
    rmSync(root, { recursive: true, force: true, maxRetries: 3 })
  })
  const { cases, contenders, times, atOnce } = options
  const machine = { redis: redisProgram(), whyNoSmallDisk: whyNoSmallDisk() }
  const plan = { cases, contenders, machine, times, atOnce, root, progress: say }
  const skipped = skippedOf(plan)
  for (const one of skipped) say(`${one.case}, ${one.contender}: skipped: ${one.why}`)
  const runs = await playAll(plan)
  const failures = print(header, { cases, contenders, runs, skipped })
  if (options.json !== undefined) {
    const report = { header, times, runs, skipped, failures }
    await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`)
  }
  return failures.length > 0 || runs.length === 0 ? 1 : 0
}

process.on("SIGINT", () => process.exit(interrupted))
process.on("SIGTERM", () => process.exit(interrupted))
// Clients may hold timers; the answer is known.
process.exit(await main())
