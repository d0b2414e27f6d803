/**
 * What every store that keeps a data folder says when it can't be opened. Run by node itself
 * instead of the test runner, this file is a process that holds a folder open.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Store } from "@causeway/crdt/ports"
import { appended, close, testDocument, testNode, testRecord } from "@causeway/crdt/testing"
import { describe, expect, onTestFinished, test } from "vitest"
import { openLevelStore, openSqliteStore, storeKinds, StoreOpenError } from "./index.ts"
import type { StoreKind } from "./index.ts"
import { openHere } from "./test/same-thread.ts"

const thisFile = fileURLToPath(import.meta.url)
const [, file, heldKind, heldDirectory = ""] = process.argv
const openers = { sqlite: openSqliteStore, level: openLevelStore } as const

if (file === thisFile) await hold(heldKind === "level" ? "level" : "sqlite")
else allTests()

async function hold(kind: StoreKind): Promise<void> {
  await openers[kind]({ directory: heldDirectory, node: undefined })
  process.stdout.write("open\n")
}

function allTests(): void {
  for (const kind of storeKinds) {
    describe(`opening a store: ${kind}`, () => {
      identityTests(kind)
      lockTests(kind)
      refusalTests(kind)
    })
  }
}

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "causeway-open-"))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

function openStore(kind: StoreKind, directory: string, node?: string): Promise<Store> {
  return openHere[kind]({ directory, node: node === undefined ? undefined : testNode(node) })
}

/** What a store of `kind` that opens and closes there says of itself. */
async function visited(kind: StoreKind, directory: string, node?: string) {
  const store = await openStore(kind, directory, node)
  await close(store)
  return store.opened
}

function openError(kind: StoreKind, directory: string, node?: string): Promise<StoreOpenError> {
  return errorOf(openStore(kind, directory, node), directory)
}

/** What opening throws; its message must be one line that names the folder. */
async function errorOf(opening: Promise<Store>, directory: string): Promise<StoreOpenError> {
  const error: unknown = await opening.then(close, (thrown: unknown) => thrown)
  if (!(error instanceof StoreOpenError)) throw new Error("opened", { cause: error })
  expect(error.message).not.toContain("\n")
  expect(error.message).toContain(directory)
  return error
}

function identityTests(kind: StoreKind): void {
  test("the node's name is kept; a minted one too", async () => {
    const directory = join(await folder(), "deep", "er")
    const named = await visited(kind, directory, "lisbon-1")
    expect(named.node).toBe("lisbon-1")
    expect(await visited(kind, directory)).toMatchObject({
      node: "lisbon-1",
      origin: named.origin,
      renewed: undefined,
    })
    expect((await visited(kind, await folder())).node).toMatch(/^node-[0-9a-f]{8}$/)
  })

  test("another node's folder is refused, and says whose it is", async () => {
    const directory = await folder()
    await visited(kind, directory, "lisbon-1")
    const { code, message } = await openError(kind, directory, "porto-1")
    expect(code).toBe("other-node")
    expect(message).toContain("lisbon-1")
  })

  test.each(storeKinds.filter((other) => other !== kind))(
    "a folder of the other kind, %s, is refused and left as it is",
    async (other) => {
      const directory = await folder()
      const before = await visited(other, directory)
      const { code, message } = await openError(kind, directory)
      expect(code).toBe("other-store")
      expect(message).toContain(`--store ${other}`)
      expect(await visited(other, directory)).toMatchObject({
        origin: before.origin,
        renewed: undefined,
      })
    },
  )
}

/** In threads, as in a node. */
function lockTests(kind: StoreKind): void {
  const opening = (directory: string) => openers[kind]({ directory, node: undefined })

  test("a folder in use by this process is refused", async () => {
    const directory = await folder()
    const store = await opening(directory)
    expect((await errorOf(opening(directory), directory)).code).toBe("locked")
    const record = testRecord({ document: testDocument("a") })
    expect((await appended(store, { own: [record] })).firstSeq).toBe(1)
    await close(store)
    await close(await opening(directory))
  })

  test("a folder in use by another process is refused, until that one is killed", async () => {
    const directory = await folder()
    const holder = spawn(process.execPath, [thisFile, kind, directory], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    onTestFinished(() => void holder.kill("SIGKILL"))
    await once(holder.stdout, "data")
    expect((await errorOf(opening(directory), directory)).code).toBe("locked")
    holder.kill("SIGKILL")
    await once(holder, "exit")
    await close(await opening(directory))
  })
}

function refusalTests(kind: StoreKind): void {
  test.each([
    ["under a file", (base: string) => join(base, "file", "data")],
    ["that is a file", (base: string) => join(base, "file")],
    ["with too long a path", (base: string) => join(base, "x/".repeat(5000))],
  ])("a folder %s is refused as not writable", async (_name, pathIn) => {
    const base = await folder()
    await writeFile(join(base, "file"), "")
    expect((await openError(kind, pathIn(base))).code).toBe("not-writable")
  })

  test.skipIf(process.platform !== "linux").each(["/proc/x", "/proc/x/y/z", "/proc/1/task"])(
    "%s, where nothing can be made, is refused at once",
    async (directory) => {
      expect((await openError(kind, directory)).code).toBe("not-writable")
    },
  )
}
