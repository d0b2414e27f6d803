import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { killAllServers } from "../servers/server-process.ts"
import { serverSpec } from "../servers/catalog.ts"
import type { Scale } from "./scenario.ts"
import { sigkillScenario } from "./sigkill.ts"

let root = ""

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "causeway-bench-test-"))
})

afterAll(async () => {
  killAllServers()
  await rm(root, { recursive: true, force: true })
})

const scale: Scale = {
  seconds: 1,
  warmupSeconds: 0,
  deferredSeconds: 0,
  settleSeconds: 0,
  idleDocuments: 0,
  ackWrites: 0,
  storedDocuments: 0,
  kills: 1,
}

test("a server that shows before it stores and claims to be durable is found out", async () => {
  const server = { ...serverSpec("hocuspocus-sqlite"), durable: true }
  const progress = (): void => undefined
  const { failures, measures } = await sigkillScenario.run({ server, scale, root, progress })
  expect(measures.seenUpdates).toBeGreaterThan(0)
  expect(measures.seenLost).toBeGreaterThan(0)
  expect(measures.ackedLost).toBeGreaterThan(0)
  expect(failures).toEqual([`lost ${measures.seenLost} updates that readers had seen`])
})
