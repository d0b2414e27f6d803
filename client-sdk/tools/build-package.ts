/** Writes the package that is published: code, declarations, package.json, README, licence. */
import { execFile } from "node:child_process"
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { bundle } from "./bundle.ts"
import { declarationPath, Declarations } from "./declarations.ts"
import type { DeclarationFile, Locate } from "./declarations.ts"
import { entriesOf, externalsOf, publishedManifest, readManifest, root } from "./package.ts"

const run = promisify(execFile)
const repository = join(root, "..")

export async function buildPackage(folder: string): Promise<void> {
  const manifest = readManifest()
  await rm(folder, { recursive: true, force: true })
  const options = { outdir: folder, minify: false }
  const { files } = await bundle(entriesOf(manifest), externalsOf(manifest), options)
  for (const { path, contents } of files) await put(path, contents)
  for (const { name, text } of await declarationFiles())
    await put(join(folder, `${name}.d.ts`), text)
  await put(join(folder, "package.json"), publishedManifest(manifest))
  await copyFile(join(root, "README.md"), join(folder, "README.md"))
  await copyFile(join(repository, "LICENSE"), join(folder, "LICENSE"))
}

/** The public declarations, one file per entry and one for what they share. */
async function declarationFiles(): Promise<readonly DeclarationFile[]> {
  const folder = await mkdtemp(join(tmpdir(), "causeway-declarations-"))
  try {
    const project = join(root, "tsconfig.build.json")
    const compiler = join(repository, "node_modules/typescript/bin/tsc")
    await run(process.execPath, [compiler, "-p", project, "--outDir", folder])
    const entries = entriesOf(readManifest())
    return new Declarations(join(folder, "client-sdk"), entries, locateIn(folder)).files()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function locateIn(folder: string): Locate {
  const inside = /^@causeway\/crdt\/(.+)$/
  return (specifier) => {
    const name = inside.exec(specifier)?.[1]
    return name && declarationPath(join(folder, "crdt/src", name, "index.ts"))
  }
}

async function put(path: string, contents: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, contents)
}
