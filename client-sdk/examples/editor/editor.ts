/** CodeMirror on a document's text; undo takes back one's own changes alone. */
import type { YjsDocument } from "@causeway/client"
import { EditorState } from "@codemirror/state"
import { EditorView, keymap, placeholder } from "@codemirror/view"
import { minimalSetup } from "codemirror"
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next"

export function openEditor(parent: HTMLElement, note: YjsDocument): EditorView {
  const text = note.ydoc.getText("body")
  const state = EditorState.create({
    doc: text.toString(),
    extensions: [
      // First, so that it wins over CodeMirror's own history, which knows nothing of others.
      keymap.of(yUndoManagerKeymap),
      minimalSetup,
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": `Text of ${note.name}` }),
      placeholder("Write something. Then switch to “Work offline” and go on."),
      yCollab(text, note.presence),
    ],
  })
  const view = new EditorView({ state, parent })
  view.focus()
  return view
}
