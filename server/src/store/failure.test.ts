/** Full and failing disks, and a store thread that dies: what callers see, and what is kept. */
import { execFileSync, spawn } from "node:child_process"
import type { ChildProcessByStdio } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Readable, Writable } from "node:stream"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import {
  append,
  appended,
  close,
  read,
  readDocument,
  readOrigin,
  testClient,
  testDocument,
  testNode,
  testOrigin,
  testRecord,
} from "@causeway/crdt/testing"
import { InvariantError } from "@causeway/crdt/base"
import { chainRecords, emptyHead } from "@causeway/crdt/log"
import type { Store } from "@causeway/crdt/ports"
import { describe, expect, onTestFinished, test } from "vitest"
import { openLevelStore, openSqliteStore, storeKinds } from "./index.ts"
import type { StoreKind } from "./index.ts"
import { ThreadStore } from "./thread/store.ts"

const document = testDocument("a")
const big = testRecord({ document, body: new Uint8Array(100_000).fill(7) })
const small = testRecord({ document: testDocument("small") })

const thisFile = fileURLToPath(import.meta.url)
const [, file, commandedKind, commandedDirectory] = process.argv
const openers = { sqlite: openSqliteStore, level: openLevelStore } as const

if (file === thisFile) await obey(commandedKind === "level" ? "level" : "sqlite")
else allTests()

function allTests(): void {
  for (const kind of storeKinds)
    describe(`store failures: ${kind}`, () => {
      tests(kind)
    })
  threadTests()
}

function openStore(kind: StoreKind, directory: string): Promise<Store> {
  return openers[kind]({ directory, node: undefined })
}

/** As a process of its own: appends a big record per line of stdin, and prints what came of it. */
async function obey(kind: StoreKind): Promise<void> {
  const store = await openStore(kind, commandedDirectory ?? "")
  process.stdout.write("open\n")
  for await (const line of createInterface({ input: process.stdin })) {
    const result = await append(store, { own: line === "append" ? [big] : [] })
    process.stdout.write(result.ok ? `seq ${result.firstSeq}\n` : `${result.code}\n`)
  }
  await close(store)
}

function run(program: string, options: readonly string[]): void {
  execFileSync(program, options, { stdio: "pipe" })
}

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "causeway-failure-"))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** A small file system in memory; skips the test, with the reason, where it can't be mounted. */
async function smallDisk(bytes: number, skip: (reason: string) => void): Promise<string> {
  const directory = await folder()
  const options = ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", directory]
  try {
    run("mount", options)
  } catch (error) {
    skip(`needs the right to mount a tmpfs: ${String(error)}`)
  }
  onTestFinished(() => run("umount", [directory]))
  return directory
}

function tests(kind: StoreKind): void {
  test("a full disk refuses writes, still reads, and writes again once there is space", async ({
    skip,
  }) => {
    const disk = await smallDisk(6_000_000, skip)
    const ballast = join(disk, "ballast")
    await writeFile(ballast, Buffer.alloc(3_000_000))
    const directory = join(disk, "data")
    const store = await openStore(kind, directory)
    const acked = await fill(store)
    expect(acked).toBeGreaterThan(2)
    expect((await readDocument(store, document)).length).toBe(acked)
    await rm(ballast)
    expect((await appended(store, {})).firstSeq).toBe(acked + 1)
    expect((await appended(store, { own: [big] })).firstSeq).toBe(acked + 1)
    expect((await readOrigin(store, store.opened.origin, acked + 1)).run.records).toEqual([big])
    await close(store)
    const again = await openStore(kind, directory)
    const records = Array.from({ length: acked + 1 }, () => big)
    const head = chainRecords(emptyHead, again.opened.origin, records)
    expect(again.opened.heads).toEqual([[again.opened.origin, head]])
    await close(again)
  })

  test("on a full disk a store opens and reads, or says what to do", async ({ skip }) => {
    const disk = await smallDisk(6_000_000, skip)
    const ballast = join(disk, "ballast")
    await writeFile(ballast, Buffer.alloc(3_000_000))
    const directory = join(disk, "data")
    const store = await openStore(kind, directory)
    const acked = await fill(store)
    await close(store)
    await writeFile(join(disk, "more"), Buffer.alloc(4_000_000)).catch(() => undefined)
    const again = await openedOnFullDisk(kind, directory, ballast)
    expect((await readDocument(again, document)).length).toBe(acked)
    await writeFile(join(disk, "most"), Buffer.alloc(6_000_000)).catch(() => undefined)
    expect(await append(again, { own: [big] })).toMatchObject({ ok: false, code: "store-full" })
    await close(again)
  })

  test("what was called after a failed append gets seqs without a gap", async ({ skip }) => {
    const store = await openStore(kind, join(await smallDisk(3_000_000, skip), "data"))
    onTestFinished(() => close(store))
    const origin = testOrigin("foreign")
    const huge = Array.from({ length: 60 }, () => big)
    const from = (firstSeq: number, records: Uint8Array[]) => ({ origin, firstSeq, records })
    const results = await Promise.all([
      append(store, { own: [small] }),
      append(store, { own: huge, adopted: [from(1, [small])] }),
      append(store, { own: [small], adopted: [from(2, [small])] }),
      append(store, { own: [small] }),
    ])
    expect(results).toMatchObject([
      { ok: true, firstSeq: 1 },
      { ok: false, code: "store-full" },
      { ok: false, code: "store-failed" },
      { ok: true, firstSeq: 2 },
    ])
    const ahead = { own: [], adopted: [from(3, [small])] }
    expect(() => store.append(ahead, () => undefined)).toThrow(InvariantError)
    expect(await append(store, { adopted: [from(1, [small])] })).toMatchObject({ ok: true })
  })

  test("a disk that refuses to write fails the append, and no other once it works", async ({
    skip,
  }) => {
    const child = spawn(process.execPath, [thisFile, kind, await folder()], {
      stdio: ["pipe", "pipe", "inherit"],
    })
    onTestFinished(() => void child.kill("SIGKILL"))
    const say = conversation(child)
    expect(await say.next()).toBe("open")
    expect(await say.after("append")).toBe("seq 1")
    try {
      run("prlimit", ["--pid", String(child.pid), "--fsize=150000:unlimited"])
    } catch (error) {
      skip(`needs prlimit: ${String(error)}`)
    }
    expect(await say.after("append")).toBe("store-failed")
    expect(await say.after("append")).toBe("store-failed")
    run("prlimit", ["--pid", String(child.pid), "--fsize=unlimited"])
    expect(await say.after("append")).toBe("seq 2")
    expect(await say.after("append")).toBe("seq 3")
  })
}

function threadTests(): void {
  test("a store whose thread dies fails every call in order, and says so once", async () => {
    const { store, failed } = await dyingStore()
    const order: string[] = []
    const client = testClient(1)
    store.append({ own: [small], adopted: [] }, (result) => order.push(`append ${result.ok}`))
    store.read({ type: "client", client }, (result) => order.push(result.type))
    const last = append(store, {})
    expect(await last).toMatchObject({ ok: false, code: "store-failed" })
    expect(order).toEqual(["append false", "failed"])
    expect(failed).toEqual(["the store failed: the disk caught fire"])
    let inside = true
    const later = new Promise<boolean>((resolve) => {
      store.append({ own: [small], adopted: [] }, (result) => resolve(!inside && !result.ok))
    })
    inside = false
    expect(await later).toBe(true)
    const result = await read(store, { type: "client", client })
    expect(result).toMatchObject({ type: "failed", code: "store-failed" })
    await close(store)
    expect(failed.length).toBe(1)
  })
}

/** LevelDB has to write at an opening: it says so, and opens once the ballast is gone. */
async function openedOnFullDisk(
  kind: StoreKind,
  directory: string,
  ballast: string,
): Promise<Store> {
  if (kind === "sqlite") return openStore(kind, directory)
  await expect(openStore(kind, directory)).rejects.toThrow(`no space left for the data folder`)
  await rm(ballast)
  return openStore(kind, directory)
}

/** Appends big records until the disk is full; gives how many were acked. */
async function fill(store: Store): Promise<number> {
  for (let acked = 0; ; acked++) {
    const result = await append(store, { own: [big] })
    if (result.ok) continue
    expect(result.code).toBe("store-full")
    return acked
  }
}

function conversation(child: ChildProcessByStdio<Writable, Readable, null>) {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => (await lines.next()).value
  return {
    next,
    after: (line: string) => {
      child.stdin.write(`${line}\n`)
      return next()
    },
  }
}

/** The store over a thread that dies at its first request. */
async function dyingStore(): Promise<{ store: Store; failed: string[] }> {
  const script = `
    const { parentPort } = require("node:worker_threads")
    parentPort.on("message", () => { throw new Error("the disk caught fire") })`
  const failed: string[] = []
  const origin = testOrigin("dying")
  const named = {
    node: testNode("dying"),
    origin,
    heads: [],
    floors: [],
    cuts: [],
    clusterRecords: [],
    notes: [],
  }
  const opened = { type: "opened", ...named, renewed: undefined } as const
  const worker = new Worker(script, { eval: true })
  return {
    store: new ThreadStore(worker, opened, { onFailed: (text) => failed.push(text) }),
    failed,
  }
}
