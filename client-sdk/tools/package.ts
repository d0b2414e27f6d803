/**
 * What of package.json the build goes by. Its `exports` name TypeScript sources, which is how the
 * workspace runs; each is an entry of what is published, under the same subpath.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"

export const root: string = join(import.meta.dirname, "..")

type Versions = Readonly<Record<string, string>>

/** Fields that go to the published package as they are, where there are any. */
type Passed = {
  readonly version: string
  readonly description: string
  readonly license: string
  readonly type: string
  readonly engines: Versions
  readonly peerDependencies?: Versions
  readonly peerDependenciesMeta?: Readonly<Record<string, unknown>>
}

type Manifest = Passed & {
  readonly name: string
  readonly exports: Readonly<Record<string, string>>
  readonly dependencies: Versions
}

export type Entry = {
  /** `.` or `./level` */
  readonly subpath: string
  /** `index` or `level`: its files' name. */
  readonly name: string
  /** Its source, relative to the package. */
  readonly source: string
  /** Node's modules may be imported. */
  readonly isForNode: boolean
}

export function readManifest(): Manifest {
  // cast: our own file; a field that is missing fails the build's tests.
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest
}

export function entriesOf({ exports }: Manifest): readonly Entry[] {
  return Object.entries(exports).map(([subpath, source]) => ({
    subpath,
    name: subpath === "." ? "index" : subpath.slice(2).replaceAll("/", "-"),
    source,
    isForNode: /\.node\.ts$|^\.\/src\/sqlite\b/.test(source),
  }))
}

/** What the app's package manager installs; all else is built in. */
export function externalsOf(manifest: Manifest): readonly string[] {
  const { dependencies, peerDependencies = {} } = manifest
  const names = [...Object.keys(dependencies), ...Object.keys(peerDependencies)]
  return names.filter((name) => !name.startsWith("@causeway/"))
}

/**
 * What apps import themselves: a copy of our own beside theirs would be of other classes, and Yjs
 * refuses a `Y.Text` of those. The range begins where it was tried.
 */
const shared: Versions = { yjs: "^13.6.27" }

/** The package.json that is published. */
export function publishedManifest(manifest: Manifest): string {
  const { name, version, description, license, type, engines } = manifest
  const { dependencies, peerDependencies, peerDependenciesMeta } = manifest
  const published = Object.entries(dependencies).filter(([key]) => {
    return !key.startsWith("@causeway/") && !Object.hasOwn(shared, key)
  })
  const exports = entriesOf(manifest).map((entry) => [
    entry.subpath,
    { types: `./${entry.name}.d.ts`, default: `./${entry.name}.js` },
  ])
  const fields = {
    name,
    version,
    description,
    license,
    type,
    sideEffects: false,
    engines,
    exports: { ...Object.fromEntries(exports), "./package.json": "./package.json" },
    dependencies: Object.fromEntries(published),
    peerDependencies: { ...shared, ...peerDependencies },
    peerDependenciesMeta,
  }
  return `${JSON.stringify(fields, null, 2)}\n`
}
