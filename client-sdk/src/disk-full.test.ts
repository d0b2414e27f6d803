/** Storage runs out of room while somebody types: on a disk that is really full. */
import { join } from "node:path"
import { expect, test } from "vitest"
import { SyncError } from "./index.ts"
import type { ClientStorage, StorageStatus } from "./index.ts"
import { levelStorage } from "./level/index.ts"
import { sqliteStorage } from "./sqlite/index.node.ts"
import { fill, mountSmallDisk } from "./test/small-disk.ts"
import { connect, startNode, textOf, type, until, untilText } from "./test/world.ts"

const storages = {
  LevelDB: (folder: string) => levelStorage(join(folder, "level")),
  SQLite: (folder: string) => sqliteStorage(join(folder, "storage.db")),
}
const kinds = ["LevelDB", "SQLite"] as const
/** Nobody listens there. */
const nowhere = "ws://127.0.0.1:9/sync"
const much = "much ".repeat(30_000)

function isFull({ state, ...rest }: StorageStatus): boolean {
  return state === "failing" && "code" in rest && rest.code === "full"
}

test.for(kinds)(
  "[C11] [C1] %s: on a full disk nothing is claimed or sent, and once there is room all is",
  async (kind, context) => {
    const folder = mountSmallDisk()
    if (folder === undefined) return context.skip("cannot mount a tmpfs")
    const open = (): ClientStorage => storages[kind](folder)
    const { sync } = await startNode()
    const ann = connect(sync).yjs("notes")
    const client = connect(sync, { storage: open() })
    const note = client.yjs("notes")
    type(note, "before ")
    await note.saved("node")
    await untilText(ann, "before ")
    const makeRoom = fill(folder)
    type(note, much)
    await until(client.storage, isFull)
    type(note, "during")
    const text = `before ${much}during`
    expect(textOf(note) === text).toBe(true)
    expect(note.status.current).toMatchObject({ savedTo: "memory", pending: 2 })
    expect(client.pending.current).toMatchObject({ storageHealthy: false })
    let isSaved = false
    const saved = note.saved("local").then(() => (isSaved = true))
    // What others type comes in all the same.
    ann.ydoc.getText("body").insert(0, "ann ")
    await untilText(note, `ann ${text}`)
    expect([isSaved, textOf(ann)]).toEqual([false, "ann before "])

    makeRoom()
    await until(client.storage, ({ state }) => state === "ok")
    await saved
    await note.saved("node")
    await untilText(ann, `ann ${text}`)
    await client.close()
    const again = connect(nowhere, { storage: open() }).yjs("notes")
    await again.loaded
    expect(textOf(again) === `ann ${text}`).toBe(true)
  },
)

test.for(kinds)(
  "[C11] %s: who stops while the disk is full has, with room again, what was saved",
  async (kind, context) => {
    const folder = mountSmallDisk()
    if (folder === undefined) return context.skip("cannot mount a tmpfs")
    const open = (): ClientStorage => storages[kind](folder)
    const client = connect(nowhere, { storage: open() })
    const note = client.yjs("notes")
    type(note, "before")
    await note.saved("local")
    const makeRoom = fill(folder)
    type(note, much)
    await until(client.storage, isFull)
    const saved = note.saved("local").catch((error: unknown) => error)
    await client.close()
    expect(await saved).toMatchObject({ code: "ERR_CLOSED" })

    const crowded = connect(nowhere, { storage: open() })
    const shown = crowded.yjs("notes")
    await shown.loaded
    // LevelDB writes to open; SQLite only reads.
    const opens = kind === "SQLite"
    expect([crowded.storage.current.state, textOf(shown)]).toEqual(
      opens ? ["ok", "before"] : ["memory-only", ""],
    )
    type(shown, ", after")
    const outcome = shown.saved("local").then(
      () => "saved",
      (error: unknown) => (error instanceof SyncError ? error.code : error),
    )
    if (opens) await until(crowded.storage, isFull)
    makeRoom()
    expect(await outcome).toBe(opens ? "saved" : "ERR_STORAGE")
    await crowded.close()
    const again = connect(nowhere, { storage: open() }).yjs("notes")
    await again.loaded
    expect(textOf(again)).toBe(opens ? "before, after" : "before")
    expect(again.status.current).toMatchObject({ savedTo: "local", pending: opens ? 2 : 1 })
  },
)
