/**
 * The collaborative editor: one Yjs text in CodeMirror. All that has to do with sync is the
 * client, the document, its presence and its status; the rest is the page.
 */
import { openClient } from "../client.ts"
import { openEditor } from "./editor.ts"
import { showPeople } from "./people.ts"
import { query } from "../settings.ts"
import { element, showConnection, showProblem, showSaved } from "./status.ts"

const client = openClient("causeway-editor")
const documentName = query.get("document") ?? "welcome"
const note = client.yjs(documentName)

element("title").textContent = documentName
document.title = `${documentName} – Causeway editor`
showConnection(client)
showSaved(note)
client.onRejected(({ reason, dismiss }) => {
  showProblem(`A node refused a change (${reason}). What you typed since is here alone.`, () => {
    dismiss()
    location.reload()
  })
})

await note.loaded
showPeople(note.presence)
openEditor(element("editor"), note)
