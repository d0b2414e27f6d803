/**
 * A back end's edit: the same client as in a browser, used for one job. It reads what the node
 * has before it writes, and is done once most nodes have the edit on disk.
 */
import type { DocumentStatus, YjsDocument } from "@causeway/client"

/** Adds `line` at the end of the document's text; gives its number, from 1. */
export async function addLine(
  note: YjsDocument,
  line: string,
  signal: AbortSignal,
): Promise<number> {
  // Editing needs no connection, but a job that decides by what is there wants to see it first.
  await untilStatus(note, ({ freshness }) => freshness.state === "live", signal)
  const text = note.ydoc.getText("body")
  const isFirst = text.length === 0
  text.insert(text.length, isFirst ? line : `\n${line}`)
  await Promise.race([note.saved("quorum"), rejectOnAbort(note, signal)])
  return text.toString().split("\n").length
}

function untilStatus(
  note: YjsDocument,
  fits: (status: DocumentStatus) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const seen = new Promise<void>((resolve, reject) => {
    const look = (status: DocumentStatus): void => {
      if (status.error !== undefined) reject(status.error)
      else if (fits(status)) resolve()
      else return
      end()
    }
    const end = note.status.subscribe(look)
    look(note.status.current)
  })
  return Promise.race([seen, rejectOnAbort(note, signal)])
}

function rejectOnAbort(note: YjsDocument, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error(whyNot(note.status.current))))
  })
}

function whyNot({ freshness, quorum, savedTo }: DocumentStatus): string {
  if (freshness.state !== "live") return "no node could be reached"
  const why = quorum.state === "pending" ? quorum.why : quorum.state
  return `saved to "${savedTo}", not to a quorum: ${why}`
}
