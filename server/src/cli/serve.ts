/**
 * `causeway serve`: starts a node, says `ready ws://HOST:PORT` on stdout, and stops it on SIGTERM
 * or SIGINT. Whatever goes wrong at the start is one line on stderr and exit code 1.
 */
import { createNode } from "../node.ts"
import { createLog } from "../observe/log.ts"
import { StartError } from "../start-error.ts"
import { version } from "../version.ts"
import { loadConfig } from "./config.ts"
import type { Flags } from "./config.ts"

export async function serve(flags: Flags, file?: string): Promise<void> {
  try {
    await start(flags, file)
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    process.stderr.write(`causeway: ${error.message}\n`)
    process.exitCode = 1
  }
}

async function start(flags: Flags, file?: string): Promise<void> {
  const { logLevel, ...options } = await loadConfig(flags, file)
  const log = createLog(logLevel)
  process.on("uncaughtException", (error) => {
    log.error({ error: error.stack }, "stopped-by-a-bug")
    process.exit(1)
  })
  const node = await createNode({ ...options, log })
  const { node: name, origin } = node.status()
  const clients = options.authenticate === undefined ? "anybody" : "by token"
  const { url } = node
  log.info({ version, node: name, origin, url, store: options.store, clients }, "serving")
  stopOnSignals(async (signal) => {
    log.info({ signal }, "stopping")
    await node.close()
    log.info({}, "stopped")
    process.exit(0)
  })
  process.stdout.write(`ready ${node.url}\n`)
}

/** The first signal stops in order, the second at once. */
function stopOnSignals(stop: (signal: string) => Promise<void>): void {
  let isStopping = false
  const onSignal = (signal: string) => {
    if (isStopping) process.exit(1)
    isStopping = true
    void stop(signal)
  }
  process.on("SIGTERM", onSignal)
  process.on("SIGINT", onSignal)
}
