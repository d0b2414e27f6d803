/** `npm run example:…` as a user has it: it says where the page is, serves it, and ends. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { createServer } from "node:net"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { expect, onTestFinished, test, vi } from "vitest"
import { temporaryFolder } from "../src/test/world.ts"

const root = join(import.meta.dirname, "../..")
const waitMsMax = 30_000

async function textAt(url: string): Promise<string> {
  return await (await fetch(url)).text()
}

const examples = ["editor", "todo"]

type Running = {
  readonly output: string[]
  readonly page: string
  readonly node: string
  /** As Ctrl-C does. */
  readonly interrupt: () => Promise<unknown>
}

/** Started as its npm script does; it ends at Ctrl-C, or with the test. */
async function start(name: string, port: number, data: string): Promise<Running> {
  const args = [`client-sdk/examples/${name}/main.ts`, "--port", String(port), "--data", data]
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] })
  const exit = once(child, "exit")
  // It ends its node, which would go on without it if it were killed.
  onTestFinished(async () => {
    child.kill("SIGTERM")
    await exit
  })
  const output: string[] = []
  createInterface(child.stdout).on("line", (line) => output.push(line))
  const said = (): string => output.join("\n")
  await vi.waitUntil(() => said().includes("Ctrl-C"), { timeout: waitMsMax })
  const page = /page {2}(http:\S+)/.exec(said())?.[1] ?? ""
  const node = /node {2}(ws:\S+)/.exec(said())?.[1] ?? "nothing"
  const interrupt = async (): Promise<unknown> => {
    child.kill("SIGINT")
    return await exit
  }
  return { output, page, node, interrupt }
}

test.each(examples)("%s: serves a page that names its node, ends at Ctrl-C", async (name) => {
  const manifest: unknown = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
  const program = `client-sdk/examples/${name}/main.ts`
  expect(manifest).toMatchObject({ scripts: { [`example:${name}`]: `node ${program}` } })

  const { output, page, node, interrupt } = await start(name, 0, await temporaryFolder())
  expect(await textAt(page)).toContain('src="/page.js"')
  const script = await textAt(`${page}page.js`)
  // Not toContain, which would print the whole bundle.
  expect([node, script.includes(node)]).toEqual([node, true])
  expect(await interrupt()).toEqual([0, null])
  expect(output.at(-1)).toBe("Stopping …")
})

test("started again its node is where open pages, and what they keep, look for it", async () => {
  const [port, data] = [await freePort(), await temporaryFolder()]
  const first = await start("editor", port, data)
  await first.interrupt()
  const second = await start("editor", port, data)
  expect([second.page, second.node]).toEqual([first.page, first.node])
})

/** One of a page that the port of its node goes with. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  if (address === null || typeof address === "string") throw new Error("no port")
  return address.port
}
