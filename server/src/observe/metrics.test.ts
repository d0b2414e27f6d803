/** What `promtool check metrics` would find: names, types and help texts of all that we expose. */
import { afterEach, expect, test } from "vitest"
import { Cleanup } from "../test/cleanup.ts"
import { httpUrl, metric, startNode } from "../test/nodes.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

type Family = { readonly name: string; readonly type: string; readonly help: string }

/** Families as they stand. @throws Error unless each is HELP, TYPE, samples, in this order. */
function familiesIn(text: string): Family[] {
  return text.split(/^(?=# HELP )/m).map((block) => {
    const [help = "", type = "", ...samples] = block.split("\n").filter((line) => line !== "")
    const [, name, helpText] = /^# HELP (\S+) (.+)$/.exec(help) ?? []
    const [, typedName, typeName] = /^# TYPE (\S+) (\S+)$/.exec(type) ?? []
    if (name === undefined || helpText === undefined) throw new Error(`no help: ${help}`)
    if (name !== typedName || typeName === undefined) throw new Error(`no type: ${type}`)
    const parts = typeName === "histogram" ? ["_bucket", "_sum", "_count"] : [""]
    const stray = samples.find((line) => {
      const sampleName = /^[^\s{]+/.exec(line)?.[0] ?? ""
      return !parts.some((part) => sampleName === name + part)
    })
    if (stray !== undefined) throw new Error(`not of the family ${name}: ${stray}`)
    return { name, type: typeName, help: helpText }
  })
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
    expect(help, name).toMatch(/^[A-Z1]/)
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
