/**
 * Which measures each table shows, under which heading. The measure marked as `ratioOf` is the one
 * by which Causeway is set against every other server.
 */
import type { MeasureName } from "../measure/measures.ts"

export const tableNames = ["fan-out", "memory", "latency", "start", "sigkill"] as const

export type TableName = (typeof tableNames)[number]

type Column = { readonly heading: string; readonly measure: MeasureName }

export type TableSpec = {
  readonly title: string
  readonly ratioOf?: MeasureName
  readonly columns: readonly Column[]
}

const fanOut: TableSpec = {
  title: "CPU and latency under load",
  ratioOf: "cpuMicrosPerSent",
  columns: [
    { heading: "CPU µs/delivered", measure: "cpuMicrosPerDelivered" },
    { heading: "CPU µs/sent", measure: "cpuMicrosPerSent" },
    { heading: "deferred µs/sent", measure: "cpuMicrosPerSentDeferred" },
    { heading: "p50 ms", measure: "visibleP50Ms" },
    { heading: "p99 ms", measure: "visibleP99Ms" },
    { heading: "RSS MB", measure: "residentMb" },
    { heading: "achieved upd/s", measure: "sentPerSecond" },
    { heading: "drain ms", measure: "drainMs" },
    { heading: "upd/frame", measure: "updatesPerFrame" },
    { heading: "late p99 ms", measure: "latenessP99Ms" },
    { heading: "load CPU %", measure: "loadCpuPercent" },
    { heading: "others CPU %", measure: "othersCpuPercent" },
  ],
}

const memory: TableSpec = {
  title: "Memory with idle documents",
  ratioOf: "residentMb",
  columns: [
    { heading: "RSS MB", measure: "residentMb" },
    { heading: "RSS empty MB", measure: "residentEmptyMb" },
    { heading: "KB/document", measure: "residentKbPerDocument" },
    { heading: "RSS peak MB", measure: "residentPeakMb" },
    { heading: "opened in s", measure: "openSeconds" },
    { heading: "idle CPU %", measure: "cpuIdlePercent" },
    { heading: "documents", measure: "documents" },
  ],
}

const latency: TableSpec = {
  title: "Latency at light load",
  ratioOf: "visibleP50Ms",
  columns: [
    { heading: "visible p50 ms", measure: "visibleP50Ms" },
    { heading: "visible p99 ms", measure: "visibleP99Ms" },
    { heading: "visible max ms", measure: "visibleMaxMs" },
    { heading: "ack p50 ms", measure: "ackP50Ms" },
    { heading: "ack p99 ms", measure: "ackP99Ms" },
    { heading: "fsync p50 ms", measure: "syncOverwriteP50Ms" },
    { heading: "fsync append p50 ms", measure: "syncAppendP50Ms" },
    { heading: "visible p50 ÷ fsync", measure: "visiblePerSync" },
    { heading: "ack p50 ÷ fsync (append)", measure: "ackPerSync" },
  ],
}

const start: TableSpec = {
  title: "Start with stored documents",
  ratioOf: "readyMs",
  columns: [
    { heading: "ready ms", measure: "readyMs" },
    { heading: "RSS MB", measure: "residentMb" },
    { heading: "documents", measure: "documents" },
    { heading: "filled in s", measure: "fillSeconds" },
  ],
}

const sigkill: TableSpec = {
  title: "SIGKILL under load",
  columns: [
    { heading: "kills", measure: "kills" },
    { heading: "updates seen", measure: "seenUpdates" },
    { heading: "seen, then lost", measure: "seenLost" },
    { heading: "updates acked", measure: "ackedUpdates" },
    { heading: "acked, then lost", measure: "ackedLost" },
    { heading: "ready again ms", measure: "readyMs" },
  ],
}

export const tableSpecs: Readonly<Record<TableName, TableSpec>> = {
  "fan-out": fanOut,
  memory,
  latency,
  start,
  sigkill,
}
