/**
 * What a process costs, read when asked. prom-client's own set is left out: its event loop and
 * garbage collection monitors cost CPU all the time.
 */
import { performance } from "node:perf_hooks"
import { Counter, Gauge } from "prom-client"
import type { Registry } from "prom-client"
import { processLoad } from "./event-loop-load.ts"

export function registerProcessMetrics(registry: Registry): void {
  const registers = [registry]
  const counter = (name: string, help: string, read: () => number) => {
    // oxlint-disable-next-line no-new -- the registry keeps it.
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  }
  const gauge = (name: string, help: string, read: () => number) => {
    // oxlint-disable-next-line no-new -- the registry keeps it.
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
  const start = performance.timeOrigin / 1000
  const load = processLoad()
  counter("process_cpu_user_seconds_total", "CPU time in user mode", () => {
    return process.cpuUsage().user / 1e6
  })
  counter("process_cpu_system_seconds_total", "CPU time in the kernel", () => {
    return process.cpuUsage().system / 1e6
  })
  gauge("process_resident_memory_bytes", "Resident memory", () => process.memoryUsage.rss())
  gauge("process_heap_bytes", "JavaScript heap in use", () => process.memoryUsage().heapUsed)
  gauge("process_start_time_seconds", "Start, in seconds since 1970", () => start)
  gauge(
    "nodejs_eventloop_utilization",
    `Share of the last full ${load.windowMs / 1000} s the main thread was busy`,
    () => load.utilization,
  )
}
