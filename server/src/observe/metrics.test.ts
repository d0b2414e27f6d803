/** What `promtool check metrics` would find: names, types and help texts of everything we expose. */
import { afterEach, expect, test } from "vitest"
import { Cleanup } from "../test/cleanup.ts"
import { httpUrl, metric, startNode } from "../test/nodes.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

type Family = { readonly name: string; readonly type: string; readonly help: string }

/** @throws Error unless each TYPE follows the HELP of its family, and its samples follow both. */
function familiesIn(text: string): Family[] {
  const families: Family[] = []
  let help: RegExpExecArray | null = null
  for (const line of text.split("\n").filter((candidate) => candidate !== "")) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line)
    const last = families.at(-1)
    if (line.startsWith("# HELP ")) help = /^# HELP (\S+) (.+)$/.exec(line)
    else if (type !== null) {
      if (help?.[1] !== type[1]) throw new Error(`no HELP before ${line}`)
      families.push({ name: type[1] ?? "", type: type[2] ?? "", help: help?.[2] ?? "" })
    } else {
      const sample = /^[^\s{]+/.exec(line)?.[0] ?? ""
      const parts = last?.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""]
      const names = parts.map((part) => `${last?.name}${part}`)
      if (!names.includes(sample)) throw new Error(`not of the family ${last?.name}: ${line}`)
    }
  }
  return families
}

/** Units other than the base ones, and abbreviations. */
const badUnit = /_(ms|milliseconds|micros|us|sec|secs|minutes|kb|kib|mb|mib|percent)(_|$)/

test("names, types and help texts are as Prometheus wants them", async () => {
  const node = await startNode(cleanup, { peers: ["ws://127.0.0.1:9"] })
  const families = familiesIn(await (await fetch(`${httpUrl(node)}/metrics`)).text())
  const names = families.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  expect(names.length).toBeGreaterThan(20)
  for (const { name, type, help } of families) {
    expect(name).toMatch(/^(causeway|process|nodejs)_[a-z]+(_[a-z]+)*$/)
    expect(["counter", "gauge", "histogram"], name).toContain(type)
    expect(name.endsWith("_total"), `${name} is a ${type}`).toBe(type === "counter")
    expect(name, "taken by histograms").not.toMatch(/_(bucket|count|sum|info)$/)
    expect(name, "its type is no part of a name").not.toMatch(/_(counter|gauge|histogram)(_|$)/)
    expect(name, "seconds and bytes").not.toMatch(badUnit)
    expect(help, name).not.toBe("")
  }
})

test("CPU time only grows, and only by what was used", async () => {
  const node = await startNode(cleanup)
  const cpu = async () => (await metric(node, "process_cpu_user_seconds_total")) ?? Number.NaN
  const first = await cpu()
  const second = await cpu()
  expect(first).toBeGreaterThan(0)
  expect(second).toBeGreaterThanOrEqual(first)
  expect(second).toBeLessThanOrEqual(process.cpuUsage().user / 1e6)
})

test("two scrapers see the same utilization", async () => {
  const node = await startNode(cleanup)
  const utilization = () => metric(node, "nodejs_eventloop_utilization")
  const first = await utilization()
  expect(first).toBeGreaterThan(0)
  expect(first).toBeLessThanOrEqual(1)
  expect(await utilization()).toBe(first)
})
