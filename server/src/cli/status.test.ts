/** The table of a real cluster: rule [B8]. */
import { parseNodeId } from "@causeway/crdt/base"
import { afterEach, expect, test } from "vitest"
import type { RunningNode } from "../index.ts"
import { Child } from "../test/child.ts"
import { Cleanup } from "../test/cleanup.ts"
import { httpUrl, startNode } from "../test/nodes.ts"
import { soon, until } from "../test/wait.ts"
import { readCluster } from "./cluster.ts"
import type { Member } from "./cluster.ts"
import { httpBase } from "./node-address.ts"
import { table, troubles } from "./status-table.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

function member(name: string, ...peers: RunningNode[]): Promise<RunningNode> {
  return startNode(cleanup, { node: parseNodeId(name), peers: peers.map(({ url }) => url) })
}

test("[B8] every member, whoever is asked; who is away is named, and why", async () => {
  const a = await member("a")
  const b = await member("b", a)
  const c = await member("c", a, b)
  const linked = (node: RunningNode, count: number) =>
    node.status().peers.filter(({ state }) => state === "linked").length === count
  await until("all are linked", () => [a, b, c].every((node) => linked(node, 2)))
  const url = httpUrl(c)
  const members = await readCluster(url)
  expect(members.map(({ node }) => node)).toEqual(["c", "a", "b"])
  expect(members.map(({ status }) => status?.node)).toEqual(["c", "a", "b"])
  expect(troubles(members)).toEqual([])
  const run = async (...args: string[]) => {
    const child = new Child(["status", ...args], cleanup)
    const { code } = await soon("the command ends", child.ended, 30_000)
    return { code, stdout: child.stdout, stderr: child.stderr }
  }
  expect(await run("--url", url)).toMatchObject({ code: 0, stderr: "" })
  await b.close()
  await until("its loss is seen", () => linked(c, 1))
  const { code, stdout } = await run("--url", c.url)
  expect(code).toBe(2)
  const lines = stdout.split("\n")
  expect(lines[0]).toBe("cluster test, 3 members")
  expect(lines.find((line) => line.startsWith("b "))).toMatch(/^b {2,}AWAY .*\?/)
  expect(stdout).toMatch(/^! b is not linked with the asked node, and does not answer here: /m)
  expect(stdout).toMatch(/^! c can't reach b$/m)
  const json = await run("--url", url, "--json")
  expect(json.code).toBe(2)
  expect(JSON.parse(json.stdout)).toMatchObject({ exit: 2, members: { length: 3 } })
  // One that was only dialled knows no addresses.
  const fromA = await readCluster(httpUrl(a))
  expect(new Set(fromA.map(({ node }) => node))).toEqual(new Set(["a", "b", "c"]))
  expect(troubles(fromA).join()).toContain("b is not linked")
  await Promise.all([a.close(), c.close()])
  expect(await run("--url", url)).toMatchObject({ code: 1, stdout: "" })
}, 90_000)

const said = {
  node: "n1",
  origin: "n1@0000000000000001",
  cluster: "test",
  vector: { "n1@0000000000000001": 5, "n2@0000000000000001": 7, "n3@0000000000000001": 0 },
  ready: true,
  store: "ok",
  sessions: 3,
  documents: 2,
  peers: [],
  uptimeSeconds: 7200,
}

test("[B8] the table, and what is wrong with whom", () => {
  const nothing = { address: undefined, known: undefined, failed: undefined }
  const known = { state: "waiting", sinceMs: 1_000_000, behind: 12 }
  const transfer = { peer: "n1", documents: 7 }
  const members: Member[] = [
    {
      ...nothing,
      node: "n1",
      address: "http://n1",
      status: {
        ...said,
        forks: [1],
        divergences: { listed: [1, 2] },
        twins: [{ node: "n2" }],
        renewed: { lostCount: 3 },
      },
    },
    {
      ...nothing,
      node: "node-2",
      known,
      status: { ...said, store: "failing", ready: false, transfer },
    },
    { ...nothing, node: undefined, address: "http://x", known, status: undefined, failed: "gone" },
    {
      ...nothing,
      node: "n4",
      known: { ...known, refused: "link-not-authenticated" },
      status: undefined,
    },
  ]
  expect(table(members, 1_090_000)).toBe(
    [
      "NODE      LINK   SINCE  BEHIND  STORE    SESSIONS  DOCUMENTS  ORIGINS  ENTRIES  FORKS" +
        "  ADDRESS",
      "n1        asked  2h     -       ok       3         2          2        12       1    " +
        "  http://n1",
      "node-2    AWAY   90s    12      FAILING  3         2          2        12       0      -",
      "http://x  AWAY   90s    12      ?        ?         ?          ?        ?        ?    " +
        "  http://x",
      "n4        AWAY   90s    12      ?        ?         ?          ?        ?        ?      -",
    ].join("\n"),
  )
  expect(troubles(members)).toEqual([
    "n1 sees 1 forked log",
    "n1 has 2 documents that differ from a peer's",
    "n1 saw a copy, or a folder put back, run as n2 since it started",
    "n1 could not read 3 entries when it opened its store",
    "node-2 is not linked with the asked node",
    "node-2's store is failing: it refuses writes",
    "node-2 is being filled by n1, 7 documents so far",
    "http://x is not linked with the asked node, and does not answer here: gone",
    "n4 is not linked with the asked node: they have different secrets, or one has none",
  ])
})

test("[B8] addresses as operators write them", () => {
  for (const url of ["ws://h:1", "http://h:1", "http://h:1/", "h:1", "HTTP://h:1"]) {
    expect(httpBase(url)).toBe("http://h:1")
  }
  expect(httpBase("https://h/prefix/")).toBe("https://h/prefix")
  for (const url of ["", "ftp://h:1", "http://h:1?a", "http://u:p@h:1", "http://"]) {
    expect(() => httpBase(url)).toThrow("is not a node's address")
  }
})
