/**
 * The package that is published, built and put where an app's package manager would put it: it
 * runs, its types stand alone, its public API is the committed one, and the linters of packages
 * have nothing to say.
 */
import { execFile } from "node:child_process"
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { build } from "esbuild"
import type { Metafile } from "esbuild"
import { publint } from "publint"
import { formatMessage } from "publint/utils"
import { afterAll, beforeAll, expect, test } from "vitest"
import { apiText } from "./api.ts"
import { buildPackage } from "./build-package.ts"
import { entriesOf, externalsOf, readManifest, root } from "./package.ts"
import { mainBytesMax, sizeOf } from "./size.ts"

const run = promisify(execFile)
const manifest = readManifest()
const entries = entriesOf(manifest)
const specifierOf = (subpath: string): string => manifest.name + subpath.slice(1)

let app = ""
let installed = ""

/** An app's folder with the package and what it depends on installed. */
beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), "causeway-app-"))
  installed = join(app, "node_modules", manifest.name)
  await buildPackage(installed)
  const require = createRequire(join(root, "package.json"))
  for (const name of [...externalsOf(manifest), "@types/node", "@types/react"]) {
    const link = join(app, "node_modules", name)
    await mkdir(dirname(link), { recursive: true })
    const folders = require.resolve.paths(name) ?? []
    for (const folder of folders) {
      const found = await realpath(join(folder, name)).catch(() => undefined)
      if (found === undefined) continue
      await symlink(found, link)
      break
    }
  }
  await writeFile(join(app, "package.json"), JSON.stringify({ name: "app", type: "module" }))
})

afterAll(() => rm(app, { recursive: true, force: true }))

/** An app's bundle; what is not the package itself stays outside. */
async function bundleOf(source: string): Promise<{ text: string; meta: Metafile }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: app },
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    external: [...externalsOf(manifest), "node:*"],
    logLevel: "silent",
  })
  return { text: outputFiles[0]?.text ?? "", meta: metafile }
}

function importsOf({ outputs }: Metafile): readonly string[] {
  return Object.values(outputs).flatMap(({ imports }) => imports.map(({ path }) => path))
}

test("built and installed it runs, and brings nothing that an app would have twice", async () => {
  const program = `
    import { createClient, SyncError } from "${manifest.name}"
    const client = createClient({ urls: ["ws://127.0.0.1:1/sync"] })
    const note = client.yjs("note")
    note.ydoc.getText("body").insert(0, "hi")
    await note.saved("local")
    await client.close()
    const error = await note.saved("node").catch((error) => error)
    console.log(note.ydoc.getText("body").toString(), error instanceof SyncError, error.code)`
  await writeFile(join(app, "app.js"), program)
  const { stdout } = await run(process.execPath, [join(app, "app.js")])
  expect(stdout).toBe("hi true ERR_CLOSED\n")

  for (const { subpath, isForNode } of entries) {
    const { meta } = await bundleOf(`export * from "${specifierOf(subpath)}"`)
    const outside = importsOf(meta)
    const modules = outside.filter((path) => path.startsWith("node:"))
    expect([subpath, isForNode ? [] : modules]).toEqual([subpath, []])
    const known = new Set([...externalsOf(manifest), ...modules])
    const isKnown = (path: string): boolean => known.has(path) || known.has(dirname(path))
    expect([subpath, outside.filter((path) => !isKnown(path))]).toEqual([subpath, []])
  }
  const unused = await bundleOf(`import "${manifest.name}"; console.log(1)`)
  expect(unused.text.trim()).toBe("// <stdin>\nconsole.log(1);")
  const little = await bundleOf(`export { SyncError } from "${manifest.name}"`)
  const whole = await bundleOf(`export * from "${manifest.name}"`)
  expect(little.text.length).toBeLessThan(whole.text.length / 10)
})

test("Yjs is the app's own copy, in any version that works with it", async () => {
  const text = await readFile(join(installed, "package.json"), "utf8")
  expect(JSON.parse(text)).toMatchObject({ peerDependencies: { yjs: "^13.6.27", react: ">=18" } })
  expect(JSON.parse(text)).not.toHaveProperty("dependencies.yjs")
})

test("its types stand alone, and linters of packages have nothing to say", async () => {
  const lines = entries.map(({ subpath }, index) => {
    return `import * as entry${index} from "${specifierOf(subpath)}"; void entry${index}`
  })
  const use = `
    import { createClient } from "${manifest.name}"
    import type { AutomergeDocument, YjsDocument } from "${manifest.name}"
    import { useDocument } from "${manifest.name}/react"
    const client = createClient({ urls: [], onEvent: ({ type }) => type satisfies string })
    export const note: YjsDocument = client.yjs("note")
    export const plan: AutomergeDocument<{ title?: string }> = client.automerge("plan")
    note.ydoc.getText("body") satisfies { insert(at: number, text: string): void }
    plan.change((doc) => { doc.title = "x" })
    export const useNote = (): YjsDocument | undefined => useDocument("yjs", "note")
    export const usePlan = (): string | undefined => {
      return useDocument<{ title?: string }>("automerge", "plan")?.doc?.title
    }
    // @ts-expect-error there is no such tier
    void note.saved("moon")`
  await writeFile(join(app, "app.ts"), [...lines, use].join("\n"))
  const options = {
    strict: true,
    noEmit: true,
    module: "nodenext",
    target: "es2022",
    lib: ["es2024", "esnext.disposable", "dom"],
    types: [],
    jsx: "react-jsx",
  }
  const project = { compilerOptions: options, files: ["app.ts"] }
  await writeFile(join(app, "tsconfig.json"), JSON.stringify(project))
  const compiler = join(root, "../node_modules/typescript/bin/tsc")
  const compiled = await run(process.execPath, [compiler, "-p", app]).catch(
    (error: unknown) => error,
  )
  expect(compiled).toMatchObject({ stdout: "" })

  const { messages, pkg } = await publint({ pkgDir: installed, strict: true })
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  const attw = join(root, "../node_modules/@arethetypeswrong/cli/dist/index.js")
  const flags = ["--pack", installed, "--profile", "esm-only", "--no-color"]
  const linted = await run(process.execPath, [attw, ...flags]).catch((error: unknown) => error)
  // It ends with 1, and says on its output what it found.
  expect(linted).not.toHaveProperty("code")
})

test("the public API is the committed one (vitest -u writes it anew)", async () => {
  await expect(await apiText(installed)).toMatchFileSnapshot("../api.txt")
})

test("an app gets no more than was promised, and no other package in it", async () => {
  for (const entry of entries) {
    const { gzipped, parts } = await sizeOf(entry)
    const others = parts.filter(([path]) => {
      return path.includes("node_modules/") && !path.includes("/@noble/hashes/")
    })
    expect(others).toEqual([])
    const bytesMax = entry.subpath === "." ? mainBytesMax : Infinity
    expect(gzipped).toBeLessThanOrEqual(bytesMax)
  }
})
