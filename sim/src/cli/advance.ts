/** Takes a run to its end bit by bit, so that progress is shown and Ctrl-C is heard. */
import type { Run, RunReport } from "../run.ts"
import { interruption } from "./interruption.ts"

/** Virtual time between two looks at the real world. */
const SLICE_MS = 1000
const PROGRESS_MS = 250

/** Undefined if the user had enough. */
export async function toEnd(run: Run, quiet: boolean): Promise<RunReport | undefined> {
  let shownMs = performance.now()
  for (;;) {
    const report = run.advance(SLICE_MS)
    if (report !== undefined) {
      if (!quiet) showProgress("")
      return report
    }
    const nowMs = performance.now()
    if (nowMs - shownMs < PROGRESS_MS) continue
    shownMs = nowMs
    const percent = Math.floor((100 * run.nowMs) / Math.max(1, run.totalMs))
    if (!quiet) showProgress(`${percent} %  ${Math.floor(run.nowMs / 1000)} virtual seconds`)
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    if (interruption.signal.aborted) return undefined
  }
}

function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}
