/** Takes a run to its end bit by bit, so that progress is shown and Ctrl-C is heard. */
import type { Run, RunReport } from "../run.ts"
import { interruption } from "./interruption.ts"

/** Virtual time between two looks at the real world. */
const SLICE_MS = 100
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
    if (!quiet) showProgress(progressOf(run))
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    if (interruption.signal.aborted) return undefined
  }
}

function progressOf({ phase, nowMs, totalMs }: Run): string {
  const seconds = `${Math.floor(nowMs / 1000)} virtual seconds`
  if (phase === "core") return `a core is healed, converging  ${seconds}`
  if (phase === "whole") return `all is healed, converging  ${seconds}`
  return `${Math.floor((100 * nowMs) / Math.max(1, totalMs))} %  ${seconds}`
}

function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}
