/**
 * Clears up after a runner that could not: a process of its own that hears of all that the run
 * makes and undoes. When the runner is gone, however it went, its end of the pipe closes, and what
 * is left is undone in reverse order; after its deadline also while the runner still lives.
 */
import { createInterface } from "node:readline"
import { undo } from "./things.ts"
import type { Thing } from "./things.ts"

type Word = { readonly made: number; readonly thing: Thing } | { readonly undone: number }

const things = new Map<number, Thing>()

function clearUp(): void {
  for (const thing of [...things.values()].toReversed()) undo(thing)
  process.exit(0)
}

// Ctrl-C in a terminal is for the runner; without it the pipe closes.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {})

const deadlineMs = Number(process.argv[2])
setTimeout(clearUp, deadlineMs)

const lines = createInterface(process.stdin)
lines.on("line", (line) => {
  // cast: only the runner writes here, in estate.ts.
  const word = JSON.parse(line) as Word
  if ("thing" in word) things.set(word.made, word.thing)
  else things.delete(word.undone)
})
lines.on("close", clearUp)
