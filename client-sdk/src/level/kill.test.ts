/**
 * A client is killed while it types, its storage on a real disk, its node a real one: nothing that
 * was in storage is lost, and nothing is logged twice. `CAUSEWAY_KILLS=1000` for more of that.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { expect, test } from "vitest"
import { connect, startNode, temporaryFolder, textOf } from "../test/world.ts"
import { levelStorage } from "./index.ts"

const kills = Number(process.env["CAUSEWAY_KILLS"] ?? 6)
const typist = join(import.meta.dirname, "../test/typist.ts")

test("[C1] [C2] [C8] [N5] a client that is killed loses and repeats nothing", async () => {
  const folder = join(await temporaryFolder(), "app")
  const { node, sync } = await startNode()
  const stored: string[] = []
  for (let life = 0; life < kills; life++) {
    const child = spawn(process.execPath, [typist, sync, folder, String(life)], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    const gone = once(child, "exit")
    const lines = createInterface({ input: child.stdout })
    lines.on("line", (word) => {
      stored.push(word)
      if (stored.length % 7 === 1) setTimeout(() => child.kill("SIGKILL"), 200 * Math.random())
    })
    await gone
  }
  const client = connect(sync, { storage: levelStorage(folder) })
  const note = client.yjs("notes")
  await note.saved("node")
  const words = textOf(note).trim().split(" ")
  const shown = new Set(words)
  const lost = stored.filter((word) => !shown.has(word))
  const response = await fetch(`${node.url.replace("ws", "http")}/v1/status`)
  const { origin, vector } = await response.json()
  // Each word is one update, and one entry.
  const loggedTwice = vector[origin] - shown.size
  console.info({ kills, saidStored: stored.length, updates: words.length, lost, loggedTwice })
  expect(words.length).toBe(shown.size)
  expect(lost).toEqual([])
  expect(loggedTwice).toBe(0)
}, 3_600_000)
