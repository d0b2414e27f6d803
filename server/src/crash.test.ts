/** SIGKILL while clients type, again and again: nothing that anybody saw is lost. */
import { afterEach, expect, test } from "vitest"
import * as Y from "yjs"
import { storeKinds } from "./store/index.ts"
import { serveChild } from "./test/child.ts"
import { Cleanup } from "./test/cleanup.ts"
import { NativeClient } from "./test/native-client.ts"
import { RawClient } from "./test/raw-client.ts"
import { stockClient, synced } from "./test/stock-client.ts"
import { soon, until } from "./test/wait.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

/** Updates of one writer: the letter, as often as is asked for. */
class Typist {
  readonly doc = new Y.Doc()
  #last: Uint8Array | undefined

  constructor() {
    this.doc.on("update", (update: Uint8Array) => (this.#last = update))
  }

  type(word: string): Uint8Array {
    const text = this.doc.getText("text")
    text.insert(text.length, word)
    if (this.#last === undefined) throw new Error("an insert makes an update")
    return this.#last
  }
}

test.for(storeKinds)("[D1] [D2] what was acked or shown survives SIGKILL: %s", async (kind) => {
  const directory = cleanup.folder()
  const typist = new Typist()
  let child = serveChild(cleanup, "--data", directory, "--store", kind)
  for (let round = 0; round < 3; round++) {
    const url = await child.ready()
    const watcher = await new RawClient(`${url}/yjs/room`, cleanup).open()
    // Step 1 with an empty state vector: everything, and then what is live.
    watcher.send(0, 0, 1, 0)
    const writer = await NativeClient.open(url, "yjs", "room", cleanup)
    // What the last life may not have had, as an outbox would send it again.
    writer.update(Y.encodeStateAsUpdate(typist.doc))
    let sent = 1
    await until("enough is acked", () => {
      for (let word = 0; word < 5; word++) writer.update(typist.type(`w${round}.${++sent} `))
      return writer.messages().length > 0 && writer.ackedSeq > 100
    })
    child.process.kill("SIGKILL")
    await soon("it is dead", child.ended)
    await soon("the last frames are read", writer.closed)
    writer.messages()

    child = serveChild(cleanup, "--data", directory, "--store", kind)
    const reader = stockClient(await child.ready(), "room", cleanup)
    await synced(reader)
    expect(String(reader.text)).toContain(` w${round}.${writer.ackedSeq} `)
    expect(String(reader.text).startsWith(textOf(watcher.frames)), "what was shown").toBe(true)
    expect(sent).toBeGreaterThan(writer.ackedSeq)
    reader.provider.destroy()
  }
})

/** The text that a stock client holds which got these frames. */
function textOf(frames: readonly Uint8Array[]): string {
  const doc = new Y.Doc()
  for (const frame of frames) {
    // Step 2 and updates: type, kind, length as a varUint, update.
    if (frame[0] !== 0 || frame[1] === 0) continue
    let start = 2
    while ((frame[start] ?? 0) > 127) start++
    Y.applyUpdate(doc, frame.subarray(start + 1))
  }
  return String(doc.getText("text"))
}
