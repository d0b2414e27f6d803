/**
 * The entries' JavaScript: ES modules with what they share in chunks. Our own packages are built
 * in, as they are not published; what the app installs is imported.
 */
import { build } from "esbuild"
import type { Metafile, OutputFile } from "esbuild"
import { constants } from "./constants.ts"
import { root } from "./package.ts"
import type { Entry } from "./package.ts"

export type Bundle = { readonly files: readonly OutputFile[]; readonly meta: Metafile }

export async function bundle(
  entries: readonly Entry[],
  external: readonly string[],
  options: { readonly outdir: string; readonly minify: boolean },
): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries.map(({ name, source }) => ({ in: source, out: name })),
    chunkNames: "chunks/[hash]",
    outdir: options.outdir,
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    jsx: "automatic",
    plugins: [constants],
    minify: options.minify,
    external: [...external, ...external.map((name) => `${name}/*`), "node:*"],
    logLevel: "silent",
  })
  return { files: outputFiles, meta: metafile }
}
