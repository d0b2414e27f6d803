/** The README's example, compiled and run by readme.test.ts. */
import { createClient } from "../index.ts"

export async function example(url: string): Promise<string> {
  // README: from here
  const client = createClient({ urls: [url] })
  client.connection.subscribe(({ state }) => console.log(state))

  const note = client.yjs("notes/42")
  note.status.subscribe(({ pending, savedTo }) => console.log(pending, savedTo))
  note.presence.setLocalState({ name: "Ann" })

  note.ydoc.getText("body").insert(0, "hi")
  await note.saved("local")
  await note.saved("node")

  const plan = client.automerge<{ title?: string }>("plan-7")
  await plan.change((doc) => {
    doc.title = "Ship it"
  })
  await plan.saved("node")

  client.onRejected(({ name, reason, update, dismiss }) => {
    console.error(`${name}: refused (${reason}), ${update.length} bytes kept`)
    dismiss()
  })
  await client.close()
  // README: to here
  return `${note.ydoc.getText("body").toString()} ${plan.doc?.title ?? ""}`
}
