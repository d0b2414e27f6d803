/**
 * What has to be true after heal and quiet: every node holds every entry, every replica shows the
 * same, whatever the order it heard things in; nothing promised is missing; nothing is left over.
 * Of a core the same is asked as far as others, who are not well, can't stand in the way.
 */
import { assert, bytesEqual, partsOfDocumentId } from "@causeway/crdt/base"
import type { DocumentId, OriginId } from "@causeway/crdt/base"
import type { Engine } from "@causeway/crdt/engines"
import type { Head } from "@causeway/crdt/log"
import type { Engines, NodeCore } from "@causeway/crdt/node"
import type { SimRandom } from "../random.ts"
import type { SimNode } from "../sim-node.ts"
import { demand } from "../violation.ts"
import type { SimWriter } from "../writer.ts"
import { bodiesOf, contentOf, shownOf } from "./content.ts"
import type { Oracle } from "./oracle.ts"

/** Who is well, and what is known about them. */
export type EndOfRun = {
  /** False for a core: others hold what it lacks, and keep what they should let go of. */
  readonly whole: boolean
  readonly engines: Engines
  readonly nodes: readonly SimNode[]
  readonly writers: readonly SimWriter[]
  readonly documents: readonly DocumentId[]
  readonly oracle: Oracle
  readonly random: SimRandom
  readonly openConnections: () => number
  /** Broken, and not noticed so far. */
  readonly tornConnections: () => number
  /** With frames that one of these nodes or writers is too slow to read. */
  readonly unreadConnections: () => number
}

/** What the world may wait for; each wait has a budget of its own (`budget.ts`). */
export type Cause =
  /** All nodes run and are linked with each other. */
  | "links"
  /** Every client is connected. */
  | "clients"
  /** What clients wrote is saved. */
  | "updates"
  /** No origin's log has branches among nodes. */
  | "forks"
  /** Nodes hold the same. */
  | "level"
  /** Nobody waits for a tier: all members have all. */
  | "tiers"
  /** Replicas show the same. */
  | "shown"
  /** Nothing is left of what broke. */
  | "rest"

/** What keeps the world from being at rest, and the promise it breaks if it stays so. */
export type Unrest = { readonly cause: Cause; readonly invariant: string; readonly why: string }

/**
 * What there is left to wait for, at most one of each cause; none once all is level. Nodes that are
 * not linked can't be level: that is not looked at.
 */
export function unrest(end: EndOfRun): Unrest[] {
  const links = unlinked(end)
  const forks = links === undefined ? unrepaired(end) : undefined
  const level = links === undefined && forks === undefined ? unlevel(end) : undefined
  const ofNodes = [links, forks, level, waitingForTier(end), leftover(end)]
  return [...unrestOfWriters(end), ...ofNodes].filter((one) => one !== undefined)
}

/** Whoever is linked finds forks by itself and repairs them, whoever's origin it is [X1]. */
function unrepaired({ nodes, oracle }: EndOfRun): Unrest | undefined {
  const hosts = nodes.map(({ host }) => host)
  const origin = oracle.ledger.splitAmong(hosts)
  if (origin === undefined) return undefined
  const silence = oracle.ledger.forks.isReported(origin) ? "" : ", and nobody said so"
  const why = `nodes hold different branches of ${origin}${silence}`
  return { cause: "forks", invariant: "fork-repaired", why }
}

function unlinked({ nodes }: EndOfRun): Unrest | undefined {
  const found = (why: string): Unrest => ({ cause: "links", invariant: "liveness", why })
  const well = new Set<string>(nodes.map(({ node }) => node))
  for (const { node, core } of nodes) {
    if (core === undefined) return found(`${node} is not running`)
    for (const { address, state } of core.status().peers) {
      // Nodes of the simulator are named as they are addressed.
      if (address === undefined || !well.has(address) || state === "linked") continue
      return found(`${node}: ${address} ${state}`)
    }
  }
  return undefined
}

function unrestOfWriters({ writers }: EndOfRun): Unrest[] {
  const found = new Map<Cause, Unrest>()
  for (const writer of writers) {
    const restless = writer.unrest()
    if (restless === undefined || found.has(restless.cause)) continue
    const { cause, why } = restless
    found.set(cause, { cause, invariant: "liveness", why: `${writer.name}: ${why}` })
  }
  return [...found.values()]
}

/**
 * A core may be too small for a tier. Whoever greeted a node counts as a member: a liar too, which
 * is why links are to be kept among friends.
 */
function waitingForTier({ whole, writers, nodes, oracle }: EndOfRun): Unrest | undefined {
  // While nodes hold different branches of a log, either may turn out to be the one.
  if (oracle.ledger.splitAmong(nodes.map(({ host }) => host)) !== undefined) return undefined
  const well = new Set<string>(nodes.map(({ node }) => node))
  for (const { name, status, document } of whole ? sessionsOf(writers) : []) {
    for (const tier of ["quorum", "all"] as const) {
      const state = status?.[tier]
      if (state?.state !== "pending") continue
      if (state.waitingFor.some(({ member }) => !well.has(member))) continue
      const members = state.waitingFor.map(({ member }) => member).join(" ")
      const why = `${name} waits for ${members} to have all of ${document} (${tier})`
      return { cause: "tiers", invariant: "liveness", why }
    }
  }
  return undefined
}

function* sessionsOf(writers: readonly SimWriter[]) {
  for (const writer of writers) {
    for (const { document } of writer.replicas) {
      yield { name: writer.name, document, status: writer.sessionOf(document)?.status }
    }
  }
}

function unlevel({ nodes }: EndOfRun): Unrest | undefined {
  const why = unequalHeads(nodes)
  if (why !== undefined) return { cause: "level", invariant: "convergence", why }
  const well = new Set<string>(nodes.map(({ node }) => node))
  for (const { node, core, disk } of nodes) {
    // Whoever is linked says in its log that it is there [M3].
    const isUnsaid = nodes.length > 1 && disk.durable.head(disk.durable.origin).seq === 0
    if (isUnsaid) return { cause: "level", invariant: "liveness", why: `${node} logged nothing` }
    const said = core === undefined ? undefined : unlevelOf(core, well)
    if (said === undefined) continue
    return { cause: "level", invariant: "liveness", why: `${node}: ${said}` }
  }
  return undefined
}

/** Nodes agree that they are level. */
function unlevelOf(core: NodeCore, well: ReadonlySet<string>): string | undefined {
  const { store, peers } = core.status()
  if (store !== "ok") return "store failing"
  const ahead = peers.find(({ address, behind }) => {
    return address !== undefined && well.has(address) && behind !== 0
  })
  return ahead && `behind ${ahead.address}`
}

function unequalHeads(nodes: readonly SimNode[]): string | undefined {
  const [first, ...others] = nodes
  assert(first !== undefined, "a cluster has nodes")
  const expected = headsOf(first)
  for (const other of others) {
    for (const [origin, head] of expected) {
      const held = other.disk.durable.head(origin)
      if (held.seq !== head.seq || !bytesEqual(held.hash, head.hash)) {
        return `${first.node} has ${origin} ${head.seq}, ${other.node} has ${held.seq}`
      }
    }
    if (headsOf(other).length !== expected.length) {
      return `${other.node} knows other origins than ${first.node}`
    }
  }
  return undefined
}

/** What everybody has to have. */
function headsOf({ disk }: SimNode): [OriginId, Head][] {
  return disk.durable.heads().filter(([, { seq }]) => seq > 0)
}

/**
 * Why replicas differ; undefined if all are equal. Costs a merge per replica, and stops after each
 * document for whoever has something else to do.
 */
export function* difference(end: EndOfRun): Generator<undefined, Unrest | undefined> {
  for (const document of end.documents) {
    const why = differenceOf(end, document)
    if (why !== undefined) return { cause: "shown", invariant: "convergence", why }
    yield
  }
  return undefined
}

function differenceOf(end: EndOfRun, document: DocumentId): string | undefined {
  const engine = end.engines[partsOfDocumentId(document).engine]
  const contents = new Contents(engine)
  const [node] = end.nodes
  assert(node !== undefined, "a cluster has nodes")
  const bodies = bodiesOf(node.disk.durable, document)
  const merged = engine.merge(bodies)
  const expected = contents.of(merged)
  const { ledger } = end.oracle
  // All hold the same entries by now, so one other node's order stands for the rest.
  const other = end.random.pick(end.nodes)
  if (contents.of(engine.merge(bodiesOf(other.disk.durable, document))) !== expected) {
    return `${document} on ${other.node} differs from ${node.node}`
  }
  if (contents.of(engine.merge(end.random.shuffled(bodies))) !== expected) {
    return `${document} depends on the order of its entries`
  }
  // A replica that knows of a lost deletion keeps it to itself ([N4] compares what was added).
  if (ledger.hasLostDeletions(document)) return undefined
  // Of a branch that no disk held when they met nobody says that it was there: resume points
  // can't tell branches apart, so whoever was shown it may lack the other, or hold both.
  if (ledger.hasSilentFork(document)) return undefined
  // What waits is not repaired ([N4]): it stays lost for nodes whose disk was put back.
  const hasLost = ledger.excused(document) !== undefined
  const besidesWaiting = hasLost ? shownOf(engine, merged) : expected
  for (const writer of end.writers) {
    for (const replica of writer.replicas) {
      if (replica.document !== document) continue
      const state = replica.state()
      const shown = contents.of(state)
      // A client of a core may know more, from a node that is not of it; and so may one whose
      // own update is on a shelf.
      const mayKnowMore = !end.whole || !end.oracle.shelved(document).isEmpty
      const holdsAll =
        shown === expected ||
        (mayKnowMore && contents.of(engine.merge([merged, state])) === shown) ||
        shown === besidesWaiting
      if (holdsAll) continue
      return `${document} of ${writer.name} differs from the nodes'`
    }
  }
  return undefined
}

/** What states of one document show. Most are equal to the byte, and those are read once. */
class Contents {
  readonly #engine: Engine
  readonly #known: { readonly state: Uint8Array; readonly content: string }[] = []

  constructor(engine: Engine) {
    this.#engine = engine
  }

  of(state: Uint8Array): string {
    const known = this.#known.find((one) => bytesEqual(one.state, state))
    if (known !== undefined) return known.content
    const content = contentOf(this.#engine, state)
    this.#known.push({ state, content })
    return content
  }
}

/** An update waits for ever only if somebody who wrote to its document died and lost something. */
function checkPending({ engines, nodes, documents, oracle }: EndOfRun): void {
  for (const document of documents) {
    const engine = engines[partsOfDocumentId(document).engine]
    const [node] = nodes
    const parts = node === undefined ? [] : bodiesOf(node.disk.durable, document)
    const { pendingBytes } = engine.frontier(engine.merge(parts))
    if (pendingBytes === 0) continue
    const isGone = oracle.ledger.excused(document) !== undefined
    const isShelved = !oracle.shelved(document).isEmpty
    const lost =
      isGone ||
      isShelved ||
      oracle.attempts.all.some((one) => one.forgotten && one.document === document)
    demand(lost, "no-write-lost", () => {
      return `${document}: ${pendingBytes} bytes wait for a predecessor that nobody gave up`
    })
  }
}

/** What was promised is on every node, but what nobody had any more after a fault. */
export function checkPromises(end: EndOfRun): void {
  const { nodes, oracle } = end
  const { ledger, promises, attempts } = oracle
  ledger.settle()
  checkPending(end)
  for (const { client, seq, document, ops } of promises.acked()) {
    for (const { host, node } of nodes) {
      const missing = ledger.owes(host, document, ops)
      demand(missing === undefined, "no-acked-write-lost", () => {
        return `update ${seq} of ${client} was acked; ${node} lacks ${missing} of ${document}`
      })
    }
  }
  const shelves = new Map(end.documents.map((document) => [document, oracle.shelved(document)]))
  for (const { token, document, ops, forgotten } of attempts.all) {
    // What is on a shelf was refused for now, and its app was told so.
    if (forgotten || shelves.get(document)?.has(ops) === true) continue
    for (const { host, node } of nodes) {
      const missing = ledger.owes(host, document, ops)
      demand(missing === undefined, "no-write-lost", () => {
        return `${token} was never given up by its writer; ${node} lacks ${missing} of ${document}`
      })
    }
  }
}

/** A core has others around it, who keep what they should let go of. */
function leftover(end: EndOfRun): Unrest | undefined {
  if (!end.whole) return undefined
  const { nodes, writers } = end
  const cause = "rest"
  const replicas = writers.reduce((sum, writer) => sum + writer.replicas.length, 0)
  for (const { node, core } of nodes) {
    const sessions = core?.status().sessions ?? 0
    if (sessions <= replicas) continue
    return {
      cause,
      invariant: "boundedness",
      why: `${node} has ${sessions} sessions of ${replicas}`,
    }
  }
  // Who comes late is read for, and so is a look at what could be folded: that is no unrest.
  const writing = nodes.find(({ disk }) => disk.isWriting)
  if (writing !== undefined) {
    return { cause, invariant: "boundedness", why: `the disk of ${writing.node} is written to` }
  }
  const torn = end.tornConnections()
  if (torn > 0) return { cause, invariant: "liveness", why: `${torn} broken ends are not noticed` }
  const unread = end.unreadConnections()
  if (unread > 0) return { cause, invariant: "liveness", why: `${unread} connections are not read` }
  const allowed = nodes.length * (nodes.length - 1) + 2 * writers.length
  const open = end.openConnections()
  if (open <= allowed) return undefined
  return {
    cause,
    invariant: "boundedness",
    why: `${open} ends of connections open, not ${allowed}`,
  }
}
