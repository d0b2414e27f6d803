/**
 * What a process has used, read from /proc as an outsider (Linux). CPU is user plus system time of
 * the whole process, threads that have ended included, and of the processes it started; its unit is
 * the kernel's tick of 10 ms, so windows must be seconds long.
 */
import { readFileSync } from "node:fs"

/** USER_HZ, 100 on every Linux Node runs on. */
const ticksPerSecond = 100

/** Position of utime and stime in /proc/<pid>/stat, counted after the closing parenthesis. */
const userTicksField = 11
const systemTicksField = 12

/** CPU seconds used so far by `pid` and its descendants. */
export function cpuSecondsOf(pid: number): number {
  return sumOverTree(pid, (process) => {
    const stat = readFileSync(`/proc/${process}/stat`, "utf8")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const ticks = Number(fields[userTicksField]) + Number(fields[systemTicksField])
    return ticks / ticksPerSecond
  })
}

/** CPU seconds used so far by everything on this machine, time taken by its host included. */
export function cpuSecondsOfMachine(): number {
  const line = readFileSync("/proc/stat", "utf8").split("\n", 1)[0] ?? ""
  const [user, nice, system, _idle, _wait, irq, softirq, steal] = line
    .split(/\s+/)
    .slice(1)
    .map(Number)
  const ticks = [user, nice, system, irq, softirq, steal].reduce<number>(
    (sum, part) => sum + (part ?? 0),
    0,
  )
  return ticks / ticksPerSecond
}

/** Resident memory of `pid` and its descendants, in MB (10^6 bytes). */
export function residentMbOf(pid: number): number {
  return sumOverTree(pid, (process) => statusMb(process, "VmRSS"))
}

/** The most resident memory `pid` alone ever had, in MB. */
export function residentPeakMbOf(pid: number): number {
  return statusMb(pid, "VmHWM")
}

function statusMb(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8")
  const kib = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]
  if (kib === undefined) throw new Error(`/proc/${pid}/status has no ${name}: has it ended?`)
  return (Number(kib) * 1024) / 1e6
}

function sumOverTree(pid: number, measure: (pid: number) => number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim()
  let sum = measure(pid)
  for (const child of children === "" ? [] : children.split(" ")) {
    sum += sumOverTree(Number(child), measure)
  }
  return sum
}
