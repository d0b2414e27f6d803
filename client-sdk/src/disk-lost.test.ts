/**
 * Three nodes in processes of their own, with real disks; a node is killed and its data deleted
 * while somebody types on it. What was saved to a quorum is there, though nobody can send it again.
 */
import { once } from "node:events"
import { rm } from "node:fs/promises"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, test, vi } from "vitest"
import { startNodeProcess } from "./test/node-process.ts"
import type { NodeProcess } from "./test/node-process.ts"
import { connect, temporaryFolder, textOf, type, within } from "./test/world.ts"

const rounds = Number(process.env["CAUSEWAY_DISK_ROUNDS"] ?? 2)

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"))
  await Promise.all(servers.map((server) => once(server, "listening")))
  // cast: a server that listens on a port has such an address.
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), "close")))
  return ports
}

test("[T1] [T3] one disk destroyed at any moment: nothing saved to a quorum is lost", async () => {
  const folder = await temporaryFolder()
  const ports = await freePorts(3)
  const data = (index: number): string => join(folder, `n${index + 1}`)
  const start = (index: number): Promise<NodeProcess> => {
    const peers = ports.filter((_, other) => other !== index)
    const flags = peers.flatMap((port) => ["--peer", `ws://127.0.0.1:${port}`])
    return startNodeProcess(data(index), ports[index], ["--node", `n${index + 1}`, ...flags])
  }
  const nodes = await Promise.all(ports.map((_, index) => start(index)))
  const sync = (index: number): string => `ws://127.0.0.1:${ports[index]}/sync`
  const saved: string[] = []
  let lostAtNode = 0
  for (let round = 0; round < rounds; round++) {
    const victim = round % nodes.length
    const writer = connect(sync(victim))
    const note = writer.yjs("notes")
    // Links are up again, and words are saved.
    type(note, `round ${round} `)
    await note.saved("all")
    let acked = 0
    let isOver = false
    const typing = (async () => {
      for (let word = 0; !isOver; word++) {
        const text = `${round}.${word} `
        type(note, text)
        void note.saved("node").then(
          () => (acked += 1),
          () => undefined,
        )
        void note.saved("quorum").then(
          () => saved.push(text),
          () => undefined,
        )
        await sleep(1)
      }
    })()
    const before = saved.length
    await vi.waitUntil(() => saved.length > before + 10, { timeout: 20_000 })
    await sleep(700 * Math.random())
    isOver = true
    // The node and the only replica that holds all of it go in the same moment.
    const ended = nodes[victim]?.kill()
    await writer.close()
    await Promise.all([ended, typing])
    await rm(data(victim), { recursive: true })
    lostAtNode += acked
    nodes[victim] = await start(victim)
    for (const index of nodes.keys()) {
      const reader = connect(sync(index))
      const read = reader.yjs("notes")
      await within<void>((resolve) => {
        const check = (): void => {
          const text = textOf(read)
          if (saved.every((word) => text.includes(word))) resolve()
        }
        read.ydoc.on("update", check)
        check()
        return () => `${saved.filter((word) => !textOf(read).includes(word)).length} words lost`
      })
      await reader.close()
    }
  }
  expect(lostAtNode).toBeGreaterThan(0)
}, 120_000)
