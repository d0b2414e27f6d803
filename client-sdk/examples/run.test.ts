/** `npm run example:…` as a user has it: it says where the page is, serves it, and ends. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFile } from "node:fs/promises"
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

test.each(examples)("%s: serves a page that names its node, ends at Ctrl-C", async (name) => {
  const manifest: unknown = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
  const program = `client-sdk/examples/${name}/main.ts`
  expect(manifest).toMatchObject({ scripts: { [`example:${name}`]: `node ${program}` } })

  const args = [program, "--port", "0", "--data", await temporaryFolder()]
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
  expect(await textAt(page)).toContain('src="/page.js"')
  const script = await textAt(`${page}page.js`)
  // Not toContain, which would print the whole bundle.
  expect([node, script.includes(node)]).toEqual([node, true])
  child.kill("SIGINT")
  expect(await exit).toEqual([0, null])
  expect(output.at(-1)).toBe("Stopping …")
})
