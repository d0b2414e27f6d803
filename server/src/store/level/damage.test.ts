/**
 * Bit rot, torn and lost files of LevelDB. Its log is checked as it is read, and what is damaged in
 * it is skipped; its tables are not checked. Whatever happens, what is read is whole or refused,
 * and an opening in doubt makes it good again.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import {
  cp,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { VersionVector } from "@causeway/crdt/clock"
import { chainRecords, emptyHead } from "@causeway/crdt/log"
import type { ReopenDoubt, Store } from "@causeway/crdt/ports"
import {
  appended,
  byOrigin,
  checkCrashed,
  close,
  crashBatch,
  read,
  readClient,
  readDocument,
  readOrigin,
  testClient,
  testDocument,
  testOrigin,
  testRecord,
} from "@causeway/crdt/testing"
import { expect, onTestFinished, test } from "vitest"
import { BOOT_FILE } from "../boot-record.ts"
import { openHere } from "../test/same-thread.ts"
import { openLevelStore } from "./index.ts"
import { LEVEL_FOLDER } from "./keys.ts"

const documents = ["a", "b", "c"].map((name) => testDocument(name))
const foreign = testOrigin("foreign")
const since = new VersionVector()

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "causeway-level-damage-"))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function opened(directory: string, doubt?: ReopenDoubt): Promise<Store> {
  const store = await openHere.level({ directory, node: undefined, doubt })
  onTestFinished(() => close(store))
  return store
}

/** The record with this number; in one of the documents. */
function record(number: number): Uint8Array {
  const document = documents[number % documents.length] ?? testDocument("none")
  const body = new TextEncoder().encode(`unmistakable body ${number} `.repeat(4))
  return testRecord({ document, author: [1, number], body })
}

const count = 600

const losses: [name: string, happen: (level: string) => Promise<void>][] = [
  ["CURRENT is gone", (level) => rm(join(level, "CURRENT"))],
  ["CURRENT is noise", (level) => writeFile(join(level, "CURRENT"), "noise")],
  ["CURRENT is empty", (level) => writeFile(join(level, "CURRENT"), "")],
  [
    "the manifest is gone",
    async (level) => {
      for (const name of await readdir(level)) {
        if (name.startsWith("MANIFEST")) await rm(join(level, name))
      }
    },
  ],
  [
    "the manifest is noise",
    async (level) => {
      for (const name of await readdir(level)) {
        if (name.startsWith("MANIFEST")) await writeFile(join(level, name), Buffer.alloc(500, 7))
      }
    },
  ],
]

type Visit = {
  readonly renewed: string | undefined
  readonly heads: readonly (readonly [string, number])[]
  /** For each document the seqs of each origin. */
  readonly reads: readonly (Readonly<Record<string, readonly number[]>> | "corrupt")[]
}

const thisFile = fileURLToPath(import.meta.url)
const visitedDirectory = process.argv[1] === thisFile ? process.argv[2] : undefined

if (visitedDirectory === undefined) tests()
else process.stdout.write(JSON.stringify(await look(visitedDirectory)))

async function look(directory: string): Promise<Visit> {
  const store = await openLevelStore({ directory, node: undefined })
  if (process.argv[3] === "die") process.kill(process.pid, "SIGKILL")
  const reads = await Promise.all(
    documents.map(async (document) => {
      const result = await read(store, { type: "document", document, since })
      if (result.type !== "document") return "corrupt" as const
      return Object.fromEntries(
        Object.entries(byOrigin(result.entries)).map(([origin, entries]) => {
          return [origin, entries.map(({ seq }) => seq)]
        }),
      )
    }),
  )
  await close(store)
  const heads = store.opened.heads.map(([origin, { seq }]) => [origin, seq] as const)
  return { renewed: store.opened.renewed?.why, heads, reads }
}

/** A folder with `count` records in the own log and in that of `foreign`. */
async function filled(): Promise<string> {
  const directory = await folder()
  const store = await opened(directory)
  for (let first = 1; first <= count; first += 20) {
    const records = Array.from({ length: 20 }, (_, index) => record(first + index))
    const adopted = [{ origin: foreign, firstSeq: first, records }]
    await appended(store, { own: records, adopted })
  }
  await close(store)
  return directory
}

async function filesOf(directory: string, ending: string): Promise<string[]> {
  const names = await readdir(join(directory, LEVEL_FOLDER))
  const paths = names.filter((name) => name.endsWith(ending)).sort()
  return paths.map((name) => join(directory, LEVEL_FOLDER, name))
}

/** The biggest file with this ending. */
async function mainFile(directory: string, ending: string): Promise<string> {
  const sizes = await Promise.all(
    (await filesOf(directory, ending)).map(async (path) => ({
      path,
      size: (await stat(path)).size,
    })),
  )
  const [biggest] = sizes.sort((left, right) => right.size - left.size)
  if (biggest === undefined) throw new Error(`no ${ending} in ${directory}`)
  return biggest.path
}

async function flip(path: string, part: number, length: number): Promise<void> {
  const content = await readFile(path)
  const at = Math.floor(content.length * part)
  for (let index = at; index < Math.min(at + length, content.length); index++) {
    content[index] = (content[index] ?? 0) ^ 0x24
  }
  await writeFile(path, content)
}

async function copyOf(directory: string): Promise<string> {
  const copy = await folder()
  await cp(directory, copy, { recursive: true })
  return copy
}

/** Every entry that is told of can be read, is chained, and is one that was written. */
async function expectSound(store: Store): Promise<number> {
  let entries = 0
  const written = new Set(
    Array.from({ length: count }, (_, index) => Buffer.from(record(index + 1)).toString("hex")),
  )
  for (const [origin, head] of store.opened.heads) {
    const { run } = await readOrigin(store, origin)
    expect(chainRecords(emptyHead, origin, run.records)).toEqual(head)
    entries += run.records.length
    const bodies = run.records.map((one) => Buffer.from(one).toString("hex"))
    // Behind a loss records go without their author, so they are not byte for byte the same.
    expect(origin !== foreign || bodies.every((one) => written.has(one))).toBe(true)
  }
  const shown = await Promise.all(documents.map((document) => readDocument(store, document)))
  expect(shown.flat().length).toBe(entries)
  return entries
}

/** Visits in a process of its own, which LevelDB's assertions may end. */
async function visit(directory: string, end?: "die"): Promise<Visit | undefined> {
  const child = spawn(process.execPath, [thisFile, directory, end ?? ""], {
    stdio: ["ignore", "pipe", "ignore"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  let output = ""
  child.stdout.on("data", (data) => (output += String(data)))
  const [, signal] = await once(child, "close")
  const deadly = end === "die" ? "SIGKILL" : "SIGABRT"
  expect(output === "" ? signal : deadly).toBe(deadly)
  // cast: what the same file prints.
  return output === "" ? undefined : (JSON.parse(output) as Visit)
}

/** What a visit read is whole: all that the heads say is there, or it was refused. */
function expectWholeOrRefused({ heads, reads }: Visit): void {
  for (const [index, shown] of reads.entries()) {
    if (shown === "corrupt") continue
    for (const [origin, end] of heads) {
      const expected = Array.from({ length: end }, (_, at) => at + 1)
      expect(shown[origin] ?? []).toEqual(expected.filter((seq) => seq % 3 === index))
    }
  }
}

function tests(): void {
  test("a torn log gives a prefix of whole batches, without a doubt", async () => {
    const directory = await folder()
    const store = await opened(directory)
    let seq = 0
    for (let batch = 0; batch < 60; batch++) {
      const { firstSeq } = await appended(store, crashBatch(seq))
      seq = firstSeq - 1 + crashBatch(seq).own.length
    }
    const size = (await stat(await mainFile(directory, ".log"))).size
    const seen: number[] = []
    for (const part of [0.15, 0.4, 0.65, 0.9]) {
      const copy = await copyOf(directory)
      await truncate(await mainFile(copy, ".log"), Math.floor(size * part))
      const torn = await opened(copy)
      expect(torn.opened.renewed).toBe(undefined)
      await checkCrashed(torn, 1)
      seen.push(new Map(torn.opened.heads).get(torn.opened.origin)?.seq ?? 0)
      await close(torn)
    }
    expect([...seen].sort((left, right) => left - right)).toEqual(seen)
    expect(seen.at(-1)).toBeLessThan(seq)
  })

  test("[E4] batches lost from the middle of the log are noticed, the rest is kept", async () => {
    const directory = await filled()
    const log = await mainFile(directory, ".log")
    for (const part of [0.2, 0.5, 0.8]) {
      const copy = await copyOf(directory)
      await flip(log.replace(directory, copy), part, 3)
      const store = await opened(copy)
      expect(store.opened.renewed?.lostCount).toBeGreaterThan(0)
      expect(await expectSound(store)).toBeGreaterThan(count / 2)
      await close(store)
    }
  })

  test("[E4] a damaged table: reads are whole or refused, and it can be healed", async () => {
    const directory = await filled()
    // Opening moves the log into a table.
    await close(await opened(directory))
    const table = await mainFile(directory, ".ldb")
    for (const [index, length] of [1, 1, 1, 5000].entries()) {
      const copy = await copyOf(directory)
      await flip(table.replace(directory, copy), 0.1 + index * 0.2, length)
      const seen = await visit(copy)
      // One that is renewed at once has other numbers, and is looked at below.
      if (seen?.renewed === undefined && seen !== undefined) expectWholeOrRefused(seen)
      const healed = await opened(copy, { why: "corrupt" })
      const lost = healed.opened.renewed?.lostCount ?? 0
      expect(await expectSound(healed)).toBeGreaterThan(2 * count - 100 - lost)
      await appended(healed, { own: [record(1)] })
      await close(healed)
    }
  })

  test("[E4] a folder whose process ends twice is checked at the third start", async () => {
    const directory = await filled()
    await close(await opened(directory))
    await flip(await mainFile(directory, ".ldb"), 0.6, 1)
    await visit(directory, "die")
    await visit(directory, "die")
    expect((await visit(directory))?.renewed).toBe("corrupt")
    const again = await opened(directory)
    expect(again.opened.renewed).toBe(undefined)
    await expectSound(again)
  })

  test.each(losses)(
    "[E4] %s: what is readable is gathered under a fresh epoch",
    async (_, happen) => {
      const directory = await filled()
      await close(await opened(directory))
      await happen(join(directory, LEVEL_FOLDER))
      const store = await opened(directory)
      expect(store.opened.renewed).toMatchObject({ why: "corrupt", lostCount: 0 })
      expect(await expectSound(store)).toBe(2 * count)
      expect(await readClient(store, testClient(1))).toBe(count)
      await close(store)
      expect((await opened(directory)).opened.renewed).toBe(undefined)
    },
  )

  test("[E4] a table that is gone costs what was in it, and no opening", async () => {
    const directory = await filled()
    await close(await opened(directory))
    const second = await opened(directory)
    await appended(second, { own: [record(1)] })
    await close(second)
    await close(await opened(directory))
    await rm(await mainFile(directory, ".ldb"))
    const store = await opened(directory)
    expect(store.opened.renewed).toBeDefined()
    await expectSound(store)
    expect((await appended(store, { own: [record(2)] })).firstSeq).toBeGreaterThan(0)
  })

  test("[E1] a crash while the rebuilt log takes its place leaves one that is whole", async () => {
    const directory = await filled()
    const before = await opened(directory)
    const { origin } = before.opened
    await close(before)
    const copy = await copyOf(directory)
    // Half written.
    const half = await copyOf(directory)
    await cp(join(directory, LEVEL_FOLDER), join(half, `${LEVEL_FOLDER}.new`), { recursive: true })
    await rm(join(half, `${LEVEL_FOLDER}.new`, "CURRENT"))
    const first = await opened(half)
    expect(first.opened).toMatchObject({ origin, renewed: undefined })
    expect(await readdir(half)).not.toContain(`${LEVEL_FOLDER}.new`)
    // Between the two renames.
    const [from, to] = [join(copy, LEVEL_FOLDER), join(copy, `${LEVEL_FOLDER}.new`)]
    await cp(from, to, { recursive: true })
    await rename(from, join(copy, `${LEVEL_FOLDER}.old`))
    const second = await opened(copy)
    expect(second.opened).toMatchObject({ origin, renewed: undefined })
    expect(await expectSound(second)).toBe(2 * count)
    expect((await readdir(copy)).sort()).toEqual([BOOT_FILE, LEVEL_FOLDER, `${LEVEL_FOLDER}.open`])
  })
}
