/**
 * `npm run demo`: runs it, prints the table, exits with 0 only if all is as expected. Ctrl-C
 * stops it in order, a second one at once; either way only processes started here are ended.
 */
import { Command, InvalidArgumentError } from "commander"
import { runDemo } from "./demo.ts"
import type { DemoOptions } from "./demo.ts"
import type { Cluster } from "./cluster.ts"
import { createScreen } from "./progress.ts"
import { isSuccess, reportOf } from "./report.ts"

const interrupted = 130
/** A terminal and npm may both pass the same Ctrl-C on. */
const sameSignalMs = 500

await new Command("demo")
  .description(
    "Two people's real typing through three nodes that are cut apart, killed and healed; " +
      "all must end at the text the recording says",
  )
  .option("--transactions <n>", "only so many of the 26,078", wholeNumber)
  .option("--seed <n>", "of the plan of cuts", wholeNumber, 1)
  .option("--timeout <seconds>", "give up after this long", wholeNumber, 300)
  .option("--keep", "keep the nodes' data and logs")
  .action(run)
  .parseAsync()

type Flags = {
  readonly transactions?: number
  readonly seed: number
  readonly timeout: number
  readonly keep?: boolean
}

async function run({ transactions, seed, timeout, keep = false }: Flags): Promise<void> {
  const options: DemoOptions = { transactions, seed, timeoutMs: timeout * 1000, keepData: keep }
  const screen = createScreen(process.stdout)
  const stop = new AbortController()
  let cluster: Cluster | undefined
  let signalledMs = -Infinity
  const onSignal = () => {
    if (performance.now() - signalledMs < sameSignalMs) return
    if (stop.signal.aborted) {
      cluster?.killNow()
      process.exit(interrupted)
    }
    signalledMs = performance.now()
    stop.abort(new Error("interrupted"))
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal)
  const audience = {
    onProgress: screen.onProgress.bind(screen),
    onEvent: screen.onEvent.bind(screen),
    onStarted: (started: Cluster) => {
      cluster = started
      screen.onStarted(started)
    },
  }
  try {
    const result = await runDemo(options, audience, stop.signal)
    screen.end()
    process.stdout.write(reportOf(result))
    process.exitCode = isSuccess(result) ? 0 : 1
  } catch (error) {
    screen.end()
    process.exitCode = stop.signal.aborted ? interrupted : 1
    process.stderr.write(`demo: ${messageOf(stop.signal.aborted ? stop.signal.reason : error)}\n`)
  }
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError("a whole number from 1 on is needed")
}

/** An error with what caused it. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message} (${messageOf(error.cause)})`
}
