import { afterEach, expect, test } from "vitest"
import { documentIdOf, parseClientId, parseNodeId } from "@causeway/crdt/base"
import type { Effect, Input } from "@causeway/crdt/node"
import { Driver } from "./driver.ts"
import { LazyEngines } from "./engines.ts"
import { Jobs } from "./jobs/jobs.ts"
import { newMemoryLog, openMemoryStore } from "./store/index.ts"
import { until } from "./test/wait.ts"

/** A core that does what it is told, and a transport that writes down what it is told. */
class Stage {
  readonly inputs: Input[] = []
  readonly written: string[] = []
  script: (input: Input) => readonly Effect[] = () => []
  deadline: { atMs: number; reason: string } | undefined
  isInside = false
  stopped = 0
  readonly engines = new LazyEngines()
  readonly jobs = new Jobs(this.engines)
  readonly driver = new Driver({
    core: {
      step: (input, _nowMs, effects) => {
        if (this.isInside) throw new Error("step is entered from within step")
        this.isInside = true
        this.inputs.push(input)
        effects.push(...this.script(input))
        this.isInside = false
      },
      nextDeadline: () => this.deadline,
    },
    store: openMemoryStore({ log: newMemoryLog(parseNodeId("a")) }),
    transport: {
      send: (to, frames) => this.written.push(`send ${to.join()} ${frames.join(";")}`),
      close: (connection, reason) => this.written.push(`close ${connection} ${reason}`),
      dial: (address) => {
        this.written.push(`dial ${address}`)
        this.driver.give({ type: "dial-failed", address })
      },
      flush: () => this.written.push("flush"),
    },
    jobs: this.jobs,
    tokens: undefined,
    engines: this.engines,
    now: () => performance.now(),
    onEvent: () => {},
    onStopped: () => this.stopped++,
    onReopen: () => undefined,
  })
}

let stage = new Stage()
afterEach(() => {
  stage.driver.end()
  stage.jobs.end()
  stage = new Stage()
})

function frame(connection: number, ...bytes: number[]): Input {
  return { type: "frame", connection, frame: Uint8Array.from(bytes) }
}

test("effects are carried out in their order, and one flush ends the pass", async () => {
  stage.script = (input) =>
    input.type === "frame"
      ? [
          { type: "send", to: [1, 2], frames: [input.frame] },
          { type: "close", connection: input.connection, reason: "malformed" },
        ]
      : []
  stage.driver.give(frame(1, 7))
  stage.driver.give(frame(2, 8))
  await until("the pass is over", () => stage.written.includes("flush"))
  expect(stage.written).toEqual([
    "send 1,2 7",
    "close 1 malformed",
    "send 1,2 8",
    "close 2 malformed",
    "flush",
  ])
})

test("an effect that answers at once does not re-enter the core", async () => {
  stage.script = (input) => {
    const parts = [Uint8Array.of(0, 0)]
    const work = { type: "json", engine: "yjs", parts } as const
    return input.type === "deadline"
      ? [
          { type: "dial", address: "ws://a" },
          { type: "job", job: 5, work },
        ]
      : []
  }
  stage.driver.give({ type: "deadline" })
  await until("both answers came", () => stage.inputs.length === 3)
  expect(stage.inputs.slice(1)).toEqual([
    { type: "dial-failed", address: "ws://a" },
    { type: "job-done", job: 5, result: { type: "json", json: {} } },
  ])
})

test("the store's answers come back as inputs, in order", async () => {
  const entries = { own: [], adopted: [] }
  const client = parseClientId("00".repeat(16))
  if (client === undefined) throw new Error("a client id")
  stage.script = (input) =>
    input.type === "deadline"
      ? [
          { type: "append", batch: 1, entries },
          {
            type: "read",
            read: 2,
            query: { type: "client", client },
          },
        ]
      : []
  stage.driver.give({ type: "deadline" })
  await until("both answers came", () => stage.inputs.length === 3)
  expect(stage.inputs.map(({ type }) => type)).toEqual(["deadline", "committed", "read-done"])
})

test("the deadline is given once its time has come, also when it moves", async () => {
  const start = performance.now()
  stage.deadline = { atMs: start + 60_000, reason: "far" }
  stage.driver.give(frame(1))
  await until("the first pass", () => stage.inputs.length === 1)
  stage.deadline = { atMs: start + 40, reason: "near" }
  stage.script = ({ type }) => {
    if (type === "deadline") stage.deadline = undefined
    return []
  }
  stage.driver.give(frame(1))
  await until("the deadline", () => stage.inputs.some(({ type }) => type === "deadline"))
  expect(performance.now() - start).toBeGreaterThanOrEqual(40)
  expect(stage.inputs.filter(({ type }) => type === "deadline").length).toBe(1)
})

test("much input does not wait for the turn to end", () => {
  for (let count = 0; count < 1024; count++) stage.driver.give(frame(1))
  expect(stage.inputs.length).toBe(1024)
})

test("a native connection loads the Automerge engine first; what came after it waits", async () => {
  stage.driver.give({ type: "opened", connection: 1, endpoint: { type: "y-websocket", room: "a" } })
  stage.driver.give(frame(1, 1))
  await until("the first pass", () => stage.inputs.length === 2)
  expect(stage.engines.has("automerge")).toBe(false)
  stage.driver.give({ type: "opened", connection: 2, endpoint: { type: "native" } })
  stage.driver.give(frame(1, 2))
  stage.driver.give(frame(2, 3))
  await until("the rest", () => stage.inputs.length === 5)
  expect(stage.engines.has("automerge")).toBe(true)
  expect(stage.engines.engines.automerge.name).toBe("automerge")
  const connections = stage.inputs.map((input) => ("connection" in input ? input.connection : 0))
  expect(connections).toEqual([1, 1, 2, 1, 2])
})

test("what is asked is answered once, at the latest when the driver ends", async () => {
  const document = documentIdOf("yjs", "a")
  if (document === undefined) throw new Error("a name")
  const replies: unknown[] = []
  const ask = () => stage.driver.ask({ type: "read-document", document }, (it) => replies.push(it))
  stage.script = (input) =>
    input.type === "command"
      ? [{ type: "reply", command: input.command, reply: { type: "no-such-document" } }]
      : []
  ask()
  await until("an answer", () => replies.length === 1)
  stage.script = () => []
  ask()
  stage.driver.end()
  ask()
  expect(replies.map((reply) => JSON.stringify(reply))).toEqual([
    '{"type":"no-such-document"}',
    expect.stringContaining("stopping"),
    expect.stringContaining("stopping"),
  ])
})

test("stopped is reported", async () => {
  stage.script = ({ type }) => (type === "stop" ? [{ type: "stopped" }] : [])
  stage.driver.give({ type: "stop" })
  await until("stopped", () => stage.stopped === 1)
})
