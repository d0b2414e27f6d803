/**
 * Ways to fill a server's store before `start-100k` starts it. Through the server's own WebSocket
 * endpoint works for any server and stores what its clients would store. Hocuspocus writes and
 * syncs each document apart, which takes very long for 100,000, so its file is filled directly: its
 * table is made by the server itself and a row is what it would have stored.
 */
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { filledRoom } from "../load/fill.ts"
import { runJob } from "../load/load-process.ts"
import { record } from "../load/recording.ts"
import { hocuspocusFile } from "../peers/arguments.ts"
import type { ServerName, ServerSpec } from "../servers/catalog.ts"
import type { RunContext, RunOutcome } from "./scenario.ts"
import { nativeUrlOf, targetOf, withServer } from "./scenario.ts"

/** Puts `storedDocuments` documents of one update each into the store in `folder`. */
export type StoreFiller = (context: RunContext, folder: string) => Promise<RunOutcome>

const direct: Readonly<Partial<Record<ServerName, StoreFiller>>> = {
  "hocuspocus-sqlite": fillHocuspocusFile,
}

/** The quickest known way to fill `server`'s store. */
export function fillerFor(server: ServerSpec): StoreFiller {
  return direct[server.name] ?? fillThroughSocket
}

async function fillThroughSocket(context: RunContext, folder: string): Promise<RunOutcome> {
  const { storedDocuments: documents } = context.scale
  return withServer(context, folder, (server) =>
    runJob({ kind: "fill", target: targetOf(server), nativeUrl: nativeUrlOf(server), documents }),
  )
}

async function fillHocuspocusFile(context: RunContext, folder: string): Promise<RunOutcome> {
  const startMs = performance.now()
  const { storedDocuments: documents } = context.scale
  await withServer(context, folder, () => Promise.resolve())
  const database = new DatabaseSync(join(folder, hocuspocusFile))
  try {
    database.exec("BEGIN")
    const insert = database.prepare("INSERT INTO documents (name, data) VALUES (?, ?)")
    for (let number = 0; number < documents; number += 1) {
      for (const update of record(number, 1).updates) insert.run(filledRoom(number), update)
    }
    database.exec("COMMIT")
  } finally {
    database.close()
  }
  const fillSeconds = (performance.now() - startMs) / 1000
  return { measures: { fillSeconds, documents }, failures: [] }
}
