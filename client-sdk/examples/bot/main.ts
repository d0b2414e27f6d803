/** `npm run example:bot -- --node URL --document NAME TEXT`: adds a line to a document. */
import { parseArgs } from "node:util"
import { createClient } from "@causeway/client"
import { addLine } from "./add-line.ts"

const usage = `npm run example:bot -- [options] TEXT

  --node URL        a node's /sync address, default ws://127.0.0.1:8642/sync; may be repeated
  --document NAME   default welcome
  --seconds N       how long it may wait for most nodes to have it on disk, default 10
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: "boolean", default: false },
    node: { type: "string", multiple: true, default: ["ws://127.0.0.1:8642/sync"] },
    document: { type: "string", default: "welcome" },
    seconds: { type: "string", default: "10" },
  },
})

async function main(text: string): Promise<void> {
  const client = createClient({ urls: values.node })
  try {
    const signal = AbortSignal.timeout(Number(values.seconds) * 1000)
    const number = await addLine(client.yjs(values.document), text, signal)
    process.stdout.write(`line ${number} of ${values.document}, on most nodes' disks\n`)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  } finally {
    await client.close()
  }
}

const text = positionals.join(" ")
if (values.help || text === "") process.stdout.write(usage)
else await main(text)
