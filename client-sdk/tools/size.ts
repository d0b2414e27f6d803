/**
 * `npm run size`: what each entry weighs in an app, minified and gzipped, without the packages it
 * imports; with `-- --why` also what it is made of. Fails past the goal for the main entry.
 */
import { relative, sep } from "node:path"
import { parseArgs } from "node:util"
import { gzipSync } from "node:zlib"
import type { Metafile } from "esbuild"
import { bundle } from "./bundle.ts"
import { entriesOf, externalsOf, readManifest, root } from "./package.ts"
import type { Entry } from "./package.ts"

export const mainBytesMax = 25 * 1024
const partsShown = 25

export type Size = {
  readonly minified: number
  readonly gzipped: number
  /** Bytes by source, the most first. */
  readonly parts: readonly (readonly [string, number])[]
}

/** Of one entry by itself, as an app that imports nothing else has it. */
export async function sizeOf(entry: Entry): Promise<Size> {
  const external = externalsOf(readManifest())
  const { files, meta } = await bundle([entry], external, { outdir: "out", minify: true })
  const loaded = filesOf(meta, entry)
  const contents = files
    .filter(({ path }) => loaded.has(relative(root, path).split(sep).join("/")))
    .map((file) => file.contents)
  return {
    minified: sum(contents.map(({ length }) => length)),
    gzipped: sum(contents.map((bytes) => gzipSync(bytes, { level: 9 }).length)),
    parts: partsOf(meta, loaded),
  }
}

/** What is loaded with the entry: not what it imports later, if it ever does. */
function filesOf({ outputs }: Metafile, entry: Entry): ReadonlySet<string> {
  const files = new Set(Object.keys(outputs).filter((path) => path.endsWith(`/${entry.name}.js`)))
  for (const file of files) {
    for (const { path, kind, external } of outputs[file]?.imports ?? []) {
      if (kind === "import-statement" && external !== true) files.add(path)
    }
  }
  return files
}

function partsOf(
  { outputs }: Metafile,
  files: ReadonlySet<string>,
): readonly (readonly [string, number])[] {
  const bytes = new Map<string, number>()
  for (const file of files) {
    for (const [path, { bytesInOutput }] of Object.entries(outputs[file]?.inputs ?? {})) {
      bytes.set(path, (bytes.get(path) ?? 0) + bytesInOutput)
    }
  }
  return [...bytes].sort(([, left], [, right]) => right - left)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} kB`.padStart(9)
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { why: { type: "boolean", default: false } } })
  process.stdout.write("entry          minified  min+gzip\n")
  for (const entry of entriesOf(readManifest())) {
    const { minified, gzipped, parts } = await sizeOf(entry)
    const name = entry.subpath.padEnd(12)
    process.stdout.write(`${name} ${kilobytes(minified)} ${kilobytes(gzipped)}\n`)
    if (entry.subpath === "." && gzipped > mainBytesMax) process.exitCode = 1
    if (!values.why) continue
    for (const [path, bytes] of parts.slice(0, partsShown)) {
      process.stdout.write(`  ${kilobytes(bytes)}  ${path.replace(/^(?:\.\.\/)+/, "")}\n`)
    }
  }
}

if (import.meta.main) await main()
