/**
 * The end of a run, after heal and quiet: every node holds every entry, every replica shows the
 * same, whatever the order it heard things in; nothing promised is missing; nothing is left over.
 */
import { assert, bytesToHex, partsOfDocumentId } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import { decodeRecord } from "@causeway/crdt/log"
import type { MemoryLog } from "@causeway/crdt/log"
import type { Engines } from "@causeway/crdt/node"
import type { SimRandom } from "../random.ts"
import type { SimNode } from "../sim-node.ts"
import { Violation, demand } from "../violation.ts"
import type { SimWriter } from "../writer.ts"
import type { Oracle } from "./oracle.ts"

export type EndOfRun = {
  readonly engines: Engines
  readonly nodes: readonly SimNode[]
  readonly writers: readonly SimWriter[]
  readonly documents: readonly DocumentId[]
  readonly oracle: Oracle
  readonly random: SimRandom
}

/** Why the world is not at rest yet; undefined once it is. Cheap. */
export function unrest({ nodes, writers }: EndOfRun): string | undefined {
  for (const { node, running, disk } of nodes) {
    if (!running) return `${node} is not running`
    if (disk.busy) return `the disk of ${node} is busy`
  }
  for (const writer of writers) {
    const why = writer.unrest()
    if (why !== undefined) return `${writer.name}: ${why}`
  }
  return unequalHeads(nodes)
}

function unequalHeads(nodes: readonly SimNode[]): string | undefined {
  const [first, ...others] = nodes
  assert(first !== undefined, "a cluster has nodes")
  const expected = first.disk.durable.heads()
  for (const other of others) {
    const heads = other.disk.durable.heads().filter(([, head]) => head.seq > 0)
    for (const [origin, head] of expected) {
      const held = other.disk.durable.head(origin)
      if (held.seq !== head.seq || bytesToHex(held.hash) !== bytesToHex(head.hash)) {
        return `${first.node} has ${origin} ${head.seq}, ${other.node} has ${held.seq}`
      }
    }
    const known = expected.filter(([, head]) => head.seq > 0).length
    if (heads.length !== known) return `${other.node} knows other origins than ${first.node}`
  }
  return undefined
}

/** Why replicas differ; undefined if all are equal. Costs a merge per replica. */
export function difference(end: EndOfRun): string | undefined {
  for (const document of end.documents) {
    const engine = end.engines[partsOfDocumentId(document).engine]
    const digestOf = (parts: readonly Uint8Array[]): string =>
      bytesToHex(engine.digest(engine.merge(parts)))
    let expected: string | undefined
    for (const { node, disk } of end.nodes) {
      const digest = digestOf(bodiesOf(disk.durable, document))
      expected ??= digest
      if (digest !== expected) return `${document} on ${node} differs`
    }
    const [node] = end.nodes
    assert(node !== undefined && expected !== undefined, "a cluster has nodes")
    const shuffled = end.random.shuffled(bodiesOf(node.disk.durable, document))
    if (digestOf(shuffled) !== expected) return `${document} depends on the order of its entries`
    for (const writer of end.writers) {
      for (const replica of writer.replicas) {
        if (replica.document !== document) continue
        const digest = digestOf([replica.state()])
        if (digest !== expected) return `${document} of ${writer.name} differs from the nodes'`
      }
    }
  }
  return undefined
}

function bodiesOf(log: MemoryLog, document: DocumentId): Uint8Array[] {
  return log.readDocument(document).map(({ record }) => decodeRecord(record).body)
}

/** What was promised is on every node. */
export function checkPromises({ nodes, oracle }: EndOfRun): void {
  const { ledger, promises, attempts } = oracle
  for (const { client, seq, document, ops } of promises.acked()) {
    for (const { host, node } of nodes) {
      const missing = ledger.holdings(host).coverage(document).missing(ops)
      demand(missing === undefined, "no-acked-write-lost", () => {
        return `update ${seq} of ${client} was acked; ${node} lacks ${missing} of ${document}`
      })
    }
  }
  for (const { token, document, ops, forgotten } of attempts.all) {
    if (forgotten) continue
    for (const { host, node } of nodes) {
      const missing = ledger.holdings(host).coverage(document).missing(ops)
      demand(missing === undefined, "no-write-lost", () => {
        return `${token} was never given up by its writer; ${node} lacks ${missing} of ${document}`
      })
    }
  }
}

/** Nodes agree that they are well, linked and level, and hold on to nothing. */
export function checkStatus({ nodes, writers }: EndOfRun, openConnections: number): void {
  for (const { node, core } of nodes) {
    const status = core?.status()
    if (status === undefined) throw new Violation("liveness", `${node} is not running`)
    demand(status.store === "ok", "liveness", () => `the store of ${node} is ${status.store}`)
    for (const peer of status.peers) {
      if (peer.address === undefined) continue
      demand(peer.state === "linked", "liveness", () => {
        return `${node}: peer ${peer.node ?? peer.address} is ${peer.state}`
      })
      demand(peer.behind === 0, "liveness", () => `${node} is ${peer.behind} behind ${peer.node}`)
    }
    demand(status.sessions <= writers.length, "boundedness", () => {
      return `${node} has ${status.sessions} sessions of ${writers.length} clients`
    })
  }
  const links = nodes.length * (nodes.length - 1)
  const allowed = links + 2 * writers.length
  demand(openConnections <= allowed, "boundedness", () => {
    return `${openConnections} ends of connections are open, ${allowed} expected at most`
  })
}
