/**
 * Serves an example's page on loopback: its folder as it is, and `page.ts` bundled as `page.js`,
 * anew at each load. The nodes it connects to are built in; `?node=` in its address wins.
 */
import { context } from "esbuild"

const host = "127.0.0.1"

export type ServedPage = { readonly url: string; close(): Promise<void> }

/** @throws if the port is taken. */
export async function servePage(
  folder: string,
  nodes: readonly string[],
  port = 0,
): Promise<ServedPage> {
  const bundler = await context({
    entryPoints: [`${folder}/page.ts`],
    outdir: folder,
    write: false,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    // Automerge's WebAssembly as text: the other builds ask for a loader.
    conditions: ["webpack"],
    define: { NODES: JSON.stringify(nodes.join(" ")) },
    logLevel: "silent",
  })
  try {
    const served = await bundler.serve({ servedir: folder, host, port })
    const url = `http://${host}:${served.port}/`
    return { url, close: () => bundler.dispose() }
  } catch (error) {
    await bundler.dispose()
    throw error
  }
}
