/** A program that types until it is killed, and says of each word when it is in local storage. */
import { createClient } from "../index.ts"
import { levelStorage } from "../level/index.ts"

const [sync = "", folder = "", life = ""] = process.argv.slice(2)
const client = createClient({ urls: [sync], storage: levelStorage(folder) })
const note = client.yjs("notes")
await note.loaded
const body = note.ydoc.getText("body")
for (let number = 0; ; number++) {
  const word = `${life}.${number}`
  body.insert(body.length, `${word} `)
  void note.saved("local").then(() => process.stdout.write(`${word}\n`))
  await new Promise((resolve) => setTimeout(resolve, 1))
}
