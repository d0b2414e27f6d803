/** Whole nodes in this process, on a free port. */
import { createNode } from "../node.ts"
import type { NodeOptions, RunningNode } from "../node.ts"
import type { Cleanup } from "./cleanup.ts"

export async function startNode(
  cleanup: Cleanup,
  options: Partial<NodeOptions> = {},
): Promise<RunningNode> {
  const node = await createNode({
    listen: { host: "127.0.0.1", port: 0 },
    store: { type: "memory" },
    cluster: "test",
    peers: [],
    ...options,
  })
  cleanup.add(() => node.close())
  return node
}

/** The node's address for HTTP. */
export function httpUrl(node: Pick<RunningNode, "url">): string {
  return node.url.replace("ws://", "http://")
}

/** A metric's value, with its labels as written; undefined if it is not there. */
export async function metric(
  node: Pick<RunningNode, "url">,
  name: string,
): Promise<number | undefined> {
  const text = await (await fetch(`${httpUrl(node)}/metrics`)).text()
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.slice(name.length + 1))
}
