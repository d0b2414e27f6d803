/**
 * docs/sdk.md says everything there is, and its samples compile: those of other libraries too,
 * where they are installed.
 */
import { execFile } from "node:child_process"
import { readFile, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { expect, test } from "vitest"
import { rejectCodes } from "@causeway/crdt/protocol"
import type { ClientEvent, ClientOptions, ConnectionStatus, DocumentStatus } from "./index.ts"
import type { Freshness, PendingStatus, SavedTo, TierStatus } from "./index.ts"
import { temporaryFolder } from "./test/world.ts"

const run = promisify(execFile)
const root = join(import.meta.dirname, "../..")
const docs = await readFile(join(root, "docs/sdk.md"), "utf8")

/** What a sample may use without saying where it comes from. */
const prelude = `
declare const client: import("@causeway/client").Client
declare const note: import("@causeway/client").YjsDocument
declare const plan: import("@causeway/client").AutomergeDocument<{ title?: string }>
declare function show(words: string): void
`

/** Samples that make what the prelude declares have their own. */
function preludeFor(sample: string): string {
  const lines = prelude.trim().split("\n")
  return lines.filter((line) => !madeIn(sample, /(\w+)[:(]/.exec(line)?.[1] ?? "")).join("\n")
}

function madeIn(sample: string, name: string): boolean {
  return new RegExp(`^const ${name} =`, "m").test(sample)
}

test("its samples compile", async () => {
  const samples = [...docs.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code = ""]) => code)
  expect(samples.length).toBeGreaterThan(12)
  const folder = await temporaryFolder()
  await symlink(join(root, "node_modules"), join(folder, "node_modules"))
  const files = samples.map((_, index) => `sample-${index + 1}.ts`)
  for (const [index, sample] of samples.entries()) {
    const text = `${preludeFor(sample)}\n${sample}\nexport {}\n`
    await writeFile(join(folder, files[index] ?? ""), text)
  }
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }))
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: "nodenext",
    target: "es2024",
    lib: ["es2024", "dom"],
    types: [],
    allowImportingTsExtensions: true,
    skipLibCheck: true,
  }
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }))
  const compiler = join(root, "node_modules/typescript/bin/tsc")
  const result = await run(process.execPath, [compiler, "-p", folder]).catch(
    (error: unknown) => error,
  )
  expect(result).toMatchObject({ stdout: "" })
})

test("it has each error code, and no other", async () => {
  const source = await readFile(join(import.meta.dirname, "errors.ts"), "utf8")
  const codes = new Set([...source.matchAll(/^ {2}\| "(ERR_\w+)"/gm)].map(([, code]) => code))
  expect(codes.size).toBeGreaterThan(12)
  const rows = [...docs.matchAll(/^\| `(ERR_\w+)` \|/gm)].map(([, code]) => code)
  expect(rows).toHaveLength(codes.size)
  expect(new Set(rows)).toEqual(codes)
  const named = new Set(docs.match(/ERR_\w+/g))
  expect([...named].filter((code) => !codes.has(code))).toEqual([])
})

// Records, so that the compiler asks for what is new.
const words: readonly Readonly<Record<string, true>>[] = [
  { urls: true, token: true, storage: true, tabs: true, onEvent: true } satisfies Record<
    keyof ClientOptions,
    true
  >,
  {
    connecting: true,
    connected: true,
    offline: true,
    "needs-token": true,
    closed: true,
  } satisfies Record<ConnectionStatus["state"], true>,
  {
    pending: true,
    savedTo: true,
    quorum: true,
    all: true,
    freshness: true,
    access: true,
    generation: true,
    error: true,
  } satisfies Record<keyof DocumentStatus, true>,
  { memory: true, local: true, node: true, quorum: true, all: true } satisfies Record<
    SavedTo,
    true
  >,
  { unasked: true, saved: true, pending: true, lost: true, unknown: true } satisfies Record<
    TierStatus["state"],
    true
  >,
  { unknown: true, stale: true, live: true } satisfies Record<Freshness["state"], true>,
  { count: true, bytes: true, full: true, storageHealthy: true } satisfies Record<
    keyof PendingStatus,
    true
  >,
  {
    "malformed-frame": true,
    "protocol-violation": true,
    "storage-failed": true,
    resend: true,
    "client-renewed": true,
    "presence-too-large": true,
  } satisfies Record<ClientEvent["type"], true>,
]

test("it has each option, status, event and reason of a refusal", () => {
  const all = [...words.flatMap((record) => Object.keys(record)), ...Object.keys(rejectCodes)]
  expect(all.filter((word) => !docs.includes(`\`${word}\``))).toEqual([])
})
