/** The bot's script, run as it is, against two linked nodes of which a quorum needs both. */
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { expect, test } from "vitest"
import { startCluster } from "../../src/test/cable.ts"
import { connect, textOf, untilText } from "../../src/test/world.ts"

const run = promisify(execFile)
const program = join(import.meta.dirname, "main.ts")

function bot(...args: readonly string[]): Promise<unknown> {
  return run(process.execPath, [program, ...args]).catch((error: unknown) => error)
}

test("[T1] [T9] a script edits a document, and says if most nodes could not save it", async () => {
  const { nodes, cutOff } = await startCluster(2)
  const [first = "", second = ""] = nodes.map(({ sync }) => sync)
  const other = connect(second).yjs("report")
  const flags = ["--node", first, "--document", "report"]
  expect(await bot(...flags, "--seconds", "30", "All", "well")).toMatchObject({
    stdout: "line 1 of report, on most nodes' disks\n",
  })
  await untilText(other, "All well")
  cutOff(1)
  expect(await bot(...flags, "--seconds", "4", "Alone")).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^saved to "node", not to a quorum: waiting for n2 \(/),
  })
  expect(textOf(other)).toBe("All well")
  await untilText(connect(first).yjs("report"), "All well\nAlone")
})

test("without a node it says so, and ends", async () => {
  const flags = ["--node", "ws://127.0.0.1:1/sync", "--seconds", "1"]
  expect(await bot(...flags, "Hello")).toMatchObject({
    code: 1,
    stderr: "no node could be reached\n",
  })
})
