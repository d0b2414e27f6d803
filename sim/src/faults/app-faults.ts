/**
 * What apps do around their clients: a view that goes takes its replica with it, one that comes
 * back begins with an empty one, and a new release has everybody load the page anew at once.
 */
import type { DocumentId } from "@causeway/crdt/base"
import type { SimRandom } from "../random.ts"
import type { World } from "../world.ts"
import type { SimWriter } from "../writer.ts"
import type { Fault } from "./fault.ts"

/** Those whose users can do anything now. */
function awake({ writers }: World): SimWriter[] {
  return writers.filter(({ running, isPaused, replicas }) => {
    return running && !isPaused && replicas.length > 0
  })
}

function mountAnew(writer: SimWriter, document: DocumentId): void {
  writer.close(document)
  writer.open(document)
}

const remount: Fault = {
  name: "remount",
  explain: "an app lets go of a document and opens it at once with an empty replica",
  row: "client-side split, moving clients",
  everyMs: [3000, 40_000],
  lastsMs: [1, 1],
  inject(world, random) {
    const natives = awake(world).filter(({ kind }) => kind === "native")
    if (natives.length === 0) return "skipped"
    const writer = random.pick(natives)
    mountAnew(writer, random.pick(writer.replicas).document)
    return "done"
  },
}

function comeBack(writer: SimWriter, document: DocumentId, random: SimRandom): void {
  const keepsReplica = random.chance(0.5)
  if (writer.kind === "native") {
    if (keepsReplica) writer.reopen(random, 1)
    else mountAnew(writer, document)
  } else if (keepsReplica) writer.disconnect()
  else {
    writer.crash("kept")
    writer.start()
  }
}

const crowd: Fault = {
  name: "crowd",
  explain: "everybody in a document comes to it anew at the same moment, some with nothing",
  row: "connection storm",
  everyMs: [10_000, 80_000],
  lastsMs: [1, 1],
  inject(world, random) {
    const writers = awake(world)
    if (writers.length === 0) return "skipped"
    const { document } = random.pick(random.pick(writers).replicas)
    for (const writer of writers) {
      if (writer.sessionOf(document) !== undefined) comeBack(writer, document, random)
    }
    return "done"
  },
}

const forget: Fault = {
  name: "forget",
  explain: "an app has a document's local copy removed, and opens the document anew",
  row: "client crash and storage",
  everyMs: [5000, 60_000],
  lastsMs: [1, 1],
  inject(world, random) {
    const natives = awake(world).filter(({ kind }) => kind === "native")
    if (natives.length === 0) return "skipped"
    const writer = random.pick(natives)
    const { document } = random.pick(writer.replicas)
    writer.close(document)
    writer.forget(document, random.chance(0.5))
    writer.open(document)
    return "done"
  },
}

export const appFaults: readonly Fault[] = [remount, crowd]

/** After all others, so that what a seed draws of those stays. */
export const forgetFaults: readonly Fault[] = [forget]
