import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"

const cli = fileURLToPath(new URL("./main.ts", import.meta.url))

function sim(...args: readonly string[]) {
  return spawnSync(process.execPath, [cli, ...args], { encoding: "utf8", timeout: 60_000 })
}

test("more nodes than a node takes links are refused with the most there may be", () => {
  const { status, stdout, stderr } = sim("--nodes", "129", "--seconds", "0")
  expect(stderr).toContain("argument '129' is invalid. a number from 1 to 128 is wanted")
  expect([status, stdout]).toEqual([2, ""])
})

test("half as many nodes as there may be all meet", () => {
  const { status, stdout } = sim("--nodes", "64", "--seconds", "0", "--seed", "3", "--faults=none")
  expect(stdout).toContain("verdict  ok")
  expect(status).toBe(0)
})
