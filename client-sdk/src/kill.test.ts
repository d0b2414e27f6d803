/** A node is killed while a client types: what was acked is there, and what was not comes back. */
import { expect, test } from "vitest"
import { startNodeProcess } from "./test/node-process.ts"
import { connect, temporaryFolder, textOf, type, untilText } from "./test/world.ts"

const rounds = 3
const wordsPerRound = 50

test("[D2] [C1] [C2] killed three times while somebody types, a node loses nothing", async () => {
  const data = await temporaryFolder()
  let node = await startNodeProcess(data)
  const { port } = new URL(node.url)
  const sync = `${node.url}/sync`
  const client = connect(sync)
  const note = client.yjs("notes")
  let typed = ""
  for (let round = 0; round < rounds; round++) {
    for (let word = 0; word < wordsPerRound; word++) {
      const text = `${round}.${word} `
      typed += text
      type(note, text)
      // Half of the words are acked one by one; the kill hits the rest under way.
      if (word < wordsPerRound / 2) await note.saved("node")
    }
    await node.kill()
    node = await startNodeProcess(data, Number(port))
    client.goOnline()
  }
  await note.saved("node")
  expect(textOf(note)).toBe(typed)
  // With the writer gone nobody can send it again: what was acked is on the disk, or lost.
  await client.close()
  await node.kill()
  await startNodeProcess(data, Number(port))
  await untilText(connect(sync).yjs("notes"), typed)
})
