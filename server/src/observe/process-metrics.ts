/**
 * What a process costs, read when asked. prom-client's own set is left out: its event loop and
 * garbage collection monitors cost CPU all the time.
 */
import { performance } from "node:perf_hooks"
import { Gauge } from "prom-client"
import type { Registry } from "prom-client"

export function registerProcessMetrics(registry: Registry): void {
  const gauge = (name: string, help: string, read: () => number) => {
    const registers = [registry]
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
  let before = performance.eventLoopUtilization()
  gauge("process_cpu_user_seconds_total", "CPU time in user mode", () => {
    return process.cpuUsage().user / 1e6
  })
  gauge("process_cpu_system_seconds_total", "CPU time in the kernel", () => {
    return process.cpuUsage().system / 1e6
  })
  gauge("process_resident_memory_bytes", "Resident memory", () => process.memoryUsage.rss())
  gauge("process_heap_bytes", "JavaScript heap in use", () => process.memoryUsage().heapUsed)
  gauge("process_start_time_seconds", "Start, in seconds since 1970", () => start)
  gauge(
    "nodejs_eventloop_utilization",
    "Share of time the main thread was busy, since the last read",
    () => {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, before)
      before = now
      return utilization
    },
  )
}
