/**
 * Broken trees, each with the one thing that must be said about it, and sound trees of which
 * nothing may be said. They prove that a check fails when its rule is broken.
 */
import type { SourceFile } from "./source.ts"

export type Case = {
  readonly name: string
  readonly path: string
  readonly text: string
  /** The only violation, as `show` prints it; undefined where the tree is sound. */
  readonly says: string | undefined
}

const rules = "# Protocol\n- **[L4]** A link says its name first.\n"
const cites = 'test("[L4] the name comes first", () => {})\n'

/** A tree in which nothing is wrong, to put one broken file into. */
export const soundTree: readonly SourceFile[] = [
  { path: "docs/protocol.md", text: rules },
  { path: "crdt/src/node/link.test.ts", text: cites },
]

function broken(name: string, path: string, text: string, says: string): Case {
  return { name, path, text, says: `${path}:${says}` }
}

function sound(name: string, path: string, text: string): Case {
  return { name, path, text, says: undefined }
}

const node = "crdt/src/node/session.ts"
const report = "sim/src/report.ts"
const yjsEngine = 'import { yjs } from "../engines/yjs/index.ts"\n'

export const importCases: readonly Case[] = [
  broken(
    "the node core importing the client core",
    node,
    'import { outbox } from "../client/outbox.ts"\n',
    "1 [imports] node must not import client",
  ),
  broken(
    "the client core importing the node core, re-exported under the package's name",
    "crdt/src/client/client.ts",
    '\nexport * from "@causeway/crdt/node"\n',
    "2 [imports] client must not import node",
  ),
  broken(
    "base importing upwards",
    "crdt/src/base/ids.ts",
    'import type { Dot } from "../clock/dot.ts"\n',
    "1 [imports] base must not import clock",
  ),
  broken(
    "the protocol importing its own stock codecs",
    "crdt/src/protocol/index.ts",
    'export { decode } from "./stock/y-websocket.ts"\n',
    "1 [imports] protocol must not import protocol/stock",
  ),
  broken(
    "ports importing more of the engines than types",
    "crdt/src/ports/store.ts",
    'import { engineTags } from "../engines/engine.ts"\n',
    "1 [imports] ports may import only types of engines",
  ),
  sound(
    "ports importing types of the engines",
    "crdt/src/ports/store.ts",
    'import type { EngineTag } from "../engines/engine.ts"\n',
  ),
  broken(
    "a core naming an engine",
    node,
    yjsEngine,
    "1 [imports] node must not import engines/yjs",
  ),
  sound("a test of a core naming an engine", "crdt/src/node/session.test.ts", yjsEngine),
  broken(
    "shipped code importing a contract suite",
    "server/src/driver.ts",
    'import { storeContract } from "@causeway/crdt/testing"\n',
    "1 [imports] server must not import testing",
  ),
  broken(
    "shipped code importing a test",
    "server/src/driver.ts",
    'import { fixture } from "./driver.test.ts"\n',
    "1 [imports] imports test code: ./driver.test.ts",
  ),
  broken(
    "a Node module in crdt",
    node,
    'import { readFileSync } from "node:fs"\n',
    "1 [imports] node must not import Node's modules: node:fs",
  ),
  broken(
    "a package in the wrong folder of crdt",
    node,
    'import * as Y from "yjs"\n',
    "1 [imports] node must not import the package yjs",
  ),
  broken(
    "the server importing the SDK",
    "server/src/main.ts",
    'import { createClient } from "@causeway/client"\n',
    "1 [imports] server must not import client-sdk",
  ),
  sound(
    "a test of the server importing the SDK",
    "server/src/main.test.ts",
    'import { createClient } from "@causeway/client"\n',
  ),
  broken(
    "a relative path into another workspace",
    "server/src/main.ts",
    'import { Reader } from "../../crdt/src/base/reader.ts"\n',
    "1 [imports] server must not reach into crdt: ../../crdt/src/base/reader.ts",
  ),
  broken(
    "a dynamic import of the simulator",
    "server/src/main.ts",
    'export const sim = await import("@causeway/sim")\n',
    "1 [imports] server must not reach into sim: @causeway/sim",
  ),
  broken(
    "a Node module in a file of the SDK that browsers load",
    "client-sdk/src/storage/memory.ts",
    'import { join } from "node:path"\n',
    "1 [imports] client-sdk must not import Node's modules: node:path",
  ),
  sound(
    "a Node module in a file of the SDK for Node",
    "client-sdk/src/storage/level.node.ts",
    'import { join } from "node:path"\n',
  ),
  broken(
    "a real socket in the simulator",
    "sim/src/network.ts",
    'import * as sockets from "ws"\n',
    "1 [imports] sim must not import the package ws",
  ),
  broken(
    "the simulator importing the server's driver",
    "sim/src/world.ts",
    'import { Driver } from "@causeway/server"\n',
    "1 [imports] sim must not import server",
  ),
  sound("files and output in the simulator's report", report, 'import { sep } from "node:path"\n'),
  broken(
    "the demo reaching into the server instead of starting it",
    "sim/demo/nodes.ts",
    'import type { Config } from "@causeway/server"\n',
    "1 [imports] demo must not import server",
  ),
  broken(
    "the bench reaching into the server's files",
    "bench/src/main.ts",
    'import { run } from "../../server/src/driver.ts"\n',
    "1 [imports] bench must not reach into server: ../../server/src/driver.ts",
  ),
  broken(
    "a folder that has no place in the table",
    "crdt/src/gossip/fanout.ts",
    "export const fanout = 3\n",
    "1 [imports] lies in no zone of the import table (tidy/zones.ts)",
  ),
]

export const purityCases: readonly Case[] = [
  broken("reading the clock", node, "export const at = Date.now()\n", "1 [purity] uses Date"),
  broken("a new Date", node, "\nexport const at = new Date(0)\n", "2 [purity] uses Date"),
  broken("chance", node, "export const roll = Math.random()\n", "1 [purity] uses Math.random"),
  broken("a timer", node, "setTimeout(() => {}, 1)\n", "1 [purity] uses setTimeout"),
  broken("output", node, "console.log(1)\n", "1 [purity] uses console"),
  broken("the process", node, "export const { pid } = process\n", "1 [purity] uses process"),
  broken("a global by its object", node, "globalThis.x = 1\n", "1 [purity] uses globalThis"),
  broken("a promise", node, "Promise.resolve()\n", "1 [purity] uses Promise"),
  broken(
    "an async function",
    node,
    "export async function join(): Promise<void> {}\n".replace(": Promise<void>", ""),
    "1 [purity] uses an async function",
  ),
  broken(
    "a sort in text order",
    node,
    "export const order = (ids: number[]) => ids.toSorted()\n",
    "1 [purity] uses toSorted() without a comparison",
  ),
  broken(
    "an order that depends on the locale",
    node,
    'export const order = "a".localeCompare("b")\n',
    "1 [purity] uses localeCompare(), which depends on the locale",
  ),
  sound("names that are only labels", node, "export const a = { process: 1, Date: 2 }.process\n"),
  sound("a test with a clock", "crdt/src/node/a.test.ts", "export const at = Date.now()\n"),
  broken(
    "the simulator reading the real clock",
    "sim/src/scheduler.ts",
    "export const at = performance.now()\n",
    "1 [purity] uses performance",
  ),
  sound("the simulator's shell measuring itself", "sim/src/cli/main.ts", "performance.now()\n"),
  broken(
    "chance in a contract suite's clock",
    "crdt/src/testing/store.ts",
    "export const at = Date.now()\n",
    "1 [purity] uses Date",
  ),
]

const longLine = `export const text = "${"x".repeat(80)}"\n`

export const textCases: readonly Case[] = [
  broken(
    "a cast without a reason",
    node,
    "export const id = 1 as unknown\n",
    "1 [casts] a cast without a `// cast: reason` comment",
  ),
  sound("a cast with its reason", node, "// cast: checked above\nexport const id = 1 as unknown\n"),
  sound("a cast in the parser of brands", "crdt/src/base/ids.ts", "export const a = 1 as number\n"),
  sound("as const", node, "export const ids = [1, 2] as const\n"),
  broken("a long line", node, longLine, "1 [sizes] 102 columns, at most 100"),
  broken("a long file", node, "void 0\n".repeat(401), "1 [sizes] 401 lines of code, at most 400"),
  sound("a long file of comments", node, "// why\n\n/*\n so\n*/\n".repeat(401)),
  broken(
    "a note to oneself",
    "README.md",
    `# Causeway\n${"TO".concat("DO")}: write\n`,
    `2 [leftovers] leftover ${"TO".concat("DO")}: do it or write an issue`,
  ),
]

export const specCases: readonly Case[] = [
  broken(
    "a rule that no test cites",
    "docs/protocol.md",
    `${rules}| [S3] | A session ends once. |\n`,
    "3 [spec] no test cites [S3]",
  ),
  broken(
    "a rule defined twice",
    "docs/protocol.md",
    `${rules}- [L4] Again.\n`,
    "3 [spec] [L4] is defined twice",
  ),
  broken(
    "a test that cites an unknown rule",
    "server/src/link.test.ts",
    `\n${cites.replace("[L4]", "[L4] [L5]")}`,
    "2 [spec] cites [L5], which docs/ does not have",
  ),
  {
    name: "a rule cited only by a skipped test",
    path: "crdt/src/node/link.test.ts",
    text: cites.replace("test(", "test.skip("),
    says: "docs/protocol.md:2 [spec] no test cites [L4]",
  },
  sound(
    "a rule cited by a table of tests",
    "crdt/src/node/link.test.ts",
    cites.replace("test(", "test.each([1, 2])("),
  ),
]
