/**
 * Reads documents back as a client that knows nothing, and compares them with what was recorded. A
 * document is right when real Yjs shows a whole number of the recorded inserts, in order and from
 * the first: then it equals the writer's document at that moment.
 */
import type { InspectJob, JobResult, Target } from "./job.ts"
import { runPooled } from "./pool.ts"
import { insertAt, textAfter, textOf } from "./recording.ts"
import { Session } from "./session.ts"
import { wires } from "./wire.ts"

const joinsAtOnce = 50

/** The text a new reader of `room` gets to see. */
export async function readText(target: Target, room: string): Promise<string> {
  const updates: Uint8Array[] = []
  const session = await Session.open({
    url: `${target.baseUrl}${room}`,
    wire: wires[target.wire],
    room,
    onContent: (frame, updateAt) => updates.push(frame.slice(updateAt)),
  })
  session.close()
  return textOf(updates)
}

/** How many recorded updates `text` is made of; undefined when it is not made of them. */
function updatesIn(text: string): number | undefined {
  const count = text.length / insertAt(0).length
  return Number.isInteger(count) && text === textAfter(count) ? count : undefined
}

/** Counts the updates stored in each room. */
export async function runInspect(job: InspectJob): Promise<JobResult> {
  const failures: string[] = []
  const stored = await runPooled(job.rooms, joinsAtOnce, async (room) => {
    const count = updatesIn(await readText(job.target, room))
    if (count === undefined) failures.push(`${room}: its text is not what was written`)
    return count ?? 0
  })
  return { measures: {}, failures, rooms: { stored } }
}
