/**
 * The command line of an example with a page: starts a node unless one is given, serves the page,
 * says where, and ends both at Ctrl-C.
 */
import { parseArgs } from "node:util"
import { startNode } from "./node-process.ts"
import { servePage } from "./serve.ts"

export type Example = {
  /** Its npm script, such as `example:editor`. */
  readonly script: string
  readonly title: string
  readonly folder: string
  readonly port: number
  /** A sentence on what to try. */
  readonly hint: string
}

/** From the page's port to that of the node. */
const nodePortOffset = 10

export async function runExample(example: Example): Promise<void> {
  const { help, node: nodes, data, port } = optionsOf(example)
  if (help) {
    process.stdout.write(helpOf(example))
    return
  }
  // Heard from the start, so that Ctrl-C during the start ends what has been started.
  const interrupted = new Promise<string>((resolve) => {
    process.once("SIGINT", () => resolve("Stopping …"))
    process.once("SIGTERM", () => resolve("Stopping …"))
  })
  // Where it was the last time: pages that are open, and what they keep, know it by its address.
  const nodePort = port === 0 ? 0 : port + nodePortOffset
  const fail = (what: string, error: unknown): void => {
    process.stderr.write(`${what} (${error instanceof Error ? error.message : String(error)}).\n`)
    process.stderr.write(`On other ports: npm run ${example.script} -- --port 0\n`)
    process.exitCode = 1
  }
  const own =
    nodes.length > 0
      ? undefined
      : await startNode(data, nodePort).catch((error: unknown) => fail("No node", error))
  if (own === undefined && nodes.length === 0) return
  const urls = own === undefined ? nodes : [own.url]
  const page = await servePage(example.folder, urls, port).catch(async (error: unknown) => {
    await own?.close()
    fail(`The page can't be served on port ${port}`, error)
  })
  if (page === undefined) return
  const where = own === undefined ? "given" : `started here, keeps its data in ${data}`
  process.stdout.write(
    `${example.title}\n\n  page  ${page.url}\n  node  ${urls.join(", ")} (${where})\n\n` +
      `${example.hint}\nCtrl-C ends ${own === undefined ? "it" : "both"}.\n`,
  )
  const ended = own?.ended.then(() => "The node has ended.")
  process.stdout.write(`\n${await Promise.race([interrupted, ...(ended ? [ended] : [])])}\n`)
  await page.close()
  await own?.close()
}

function optionsOf({ script, port }: Example): {
  readonly help: boolean
  readonly node: readonly string[]
  readonly data: string
  readonly port: number
} {
  const { values } = parseArgs({
    options: {
      help: { type: "boolean", default: false },
      node: { type: "string", multiple: true, default: [] },
      data: { type: "string", default: dataOf(script) },
      port: { type: "string", default: String(port) },
    },
  })
  return { ...values, port: Number(values.port) }
}

function helpOf({ script, title, port }: Example): string {
  const folder = dataOf(script)
  return `${title}

npm run ${script} [-- options]

  --node URL      a node's /sync address instead of a node of its own; may be repeated
  --data FOLDER   where its own node keeps its data, default ${folder}
  --port PORT     of the page, default ${port}, its node ${nodePortOffset} above; 0 takes free ones
`
}

function dataOf(script: string): string {
  return `.causeway/${script.replace("example:", "")}`
}
