/** Structured logs: one JSON object a line on stderr; stdout is for the start-up line alone. */
import { pino } from "pino"
import type { Logger } from "pino"

export const logLevels = ["debug", "info", "warn", "error", "silent"] as const
export type LogLevel = (typeof logLevels)[number]

/** What the node needs of a logger; pino's fits. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error">

/** Written at once, so that the last words of a process are not lost. */
export function createLog(level: LogLevel): Log {
  const timestamp = () => `,"time":"${new Date().toISOString()}"`
  const formatters = { level: (label: string) => ({ level: label }) }
  const options = { level, timestamp, formatters, base: null }
  return pino(options, pino.destination({ dest: 2, sync: true }))
}

export const silentLog: Log = pino({ level: "silent" })
