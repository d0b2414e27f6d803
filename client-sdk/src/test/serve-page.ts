/** Pages for browser tests, with nothing in them but the script of a test. */
import { createServer } from "node:http"
import { basename, join } from "node:path"
import { build } from "esbuild"
import type { BuildResult } from "esbuild"
import { onTestFinished } from "vitest"

/** A script of `src`, bundled as an app would. */
export function bundlePage(entry: string, minify = false): Promise<BuildResult<{ write: false }>> {
  return build({
    entryPoints: [join(import.meta.dirname, "..", entry)],
    outdir: "unused",
    bundle: true,
    write: false,
    format: "esm",
    splitting: true,
    minify,
    platform: "browser",
    target: "es2022",
    // Loaded only by apps with Automerge documents; not part of what this page needs.
    external: ["@automerge/automerge"],
    logLevel: "silent",
  })
}

/** Serves the page and its bundle from loopback, and gives its address. */
export async function servePage(entry: string, policy = ""): Promise<string> {
  const { outputFiles } = await bundlePage(entry)
  const scripts = new Map(outputFiles.map(({ path, text }) => [basename(path), text]))
  const server = createServer(({ url = "" }, response) => {
    const script = scripts.get(url.slice(1))
    const contentType = script === undefined ? "text/html" : "text/javascript"
    response.setHeader("content-type", `${contentType}; charset=utf-8`)
    response.setHeader("content-security-policy", policy)
    response.setHeader("access-control-allow-origin", "*")
    const page = basename(entry).replace(".ts", ".js")
    response.end(script ?? `<script type="module" src="/${page}"></script>`)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => new Promise((resolve) => void server.close(() => resolve())))
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("no port")
  return `http://127.0.0.1:${address.port}/`
}
