/** The README's example is the one that is compiled, and it runs. */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, test, vi } from "vitest"
import { example } from "./test/readme-example.ts"
import { startNode } from "./test/world.ts"

test("the README shows the example that is compiled", async () => {
  const source = await readFile(join(import.meta.dirname, "test/readme-example.ts"), "utf8")
  const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8")
  const [, shown = "nothing"] = source.split(/^.*README: (?:from|to) here\n/m)
  expect(readme).toContain(shown.replaceAll(/^ {2}/gm, "").trim())
})

test("the README's example runs", async () => {
  const log = vi.spyOn(console, "log").mockReturnValue()
  const { sync } = await startNode()
  expect(await example(sync)).toBe("hi Ship it")
  expect(log).toHaveBeenCalledWith("connected")
  log.mockRestore()
})
