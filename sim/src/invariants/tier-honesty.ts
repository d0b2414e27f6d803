/**
 * What `quorum` and `all` promise, compared with the disks themselves. When a node acks a tier,
 * what it covers is on that many nodes' disks at that moment. A disk counts that lost it since the
 * node's link to it was opened, as the node can't know yet: what a process says may be under way
 * when it dies. So does an attacker that is linked as a member. What a client's app is told is
 * saved was acked so, or is on so many disks now. And in the end what was acked at `quorum` is
 * everywhere, unless each of the disks that had it then lost something since: no single one is
 * missed. Rules [T1]–[T9].
 */
import { assert } from "@causeway/crdt/base"
import type { ClientId, ConnectionId, DocumentId, Millis } from "@causeway/crdt/base"
import type { Effect, Input } from "@causeway/crdt/node"
import { decodeClientMessage, decodeNodeMessage, nativeTags } from "@causeway/crdt/protocol"
import type { NodeMessage } from "@causeway/crdt/protocol"
import { isRetired } from "../checkers/retired.ts"
import type { Numbered, NumberedClient } from "../checkers/promises.ts"
import type { HostId } from "../reachability.ts"
import type { SimNode } from "../sim-node.ts"
import { demand } from "../violation.ts"
import type { DiskChange, Watcher } from "../watcher.ts"
import type { World } from "../world.ts"
import type { SimWriter } from "../writer.ts"
import type { Invariant } from "./invariant.ts"

const tiers = ["quorum", "all"] as const
type Tier = (typeof tiers)[number]

/** What one client was promised at one tier. */
type Promised = {
  /** Numbers that were acked at the tier, and looked for. */
  readonly acked: Set<number>
  /** Numbers up to here were given up if they were not acked. */
  lostTo: number
}

/** `sinceMs`: when the connection was opened. Its other end is one process, which had its disk. */
type Linked = { readonly connection: ConnectionId; readonly sinceMs: Millis }

type Kept = Numbered & {
  readonly what: string
  readonly holders: readonly HostId[]
  readonly atMs: Millis
}

export class TierHonesty implements Watcher {
  readonly #world: World
  readonly #natives = new Set<ConnectionId>()
  /** From where a connection's client wants acks of a tier. */
  readonly #fromSeq = new Map<string, number>()
  readonly #promised = new Map<string, Promised>()
  /** When connections were opened that may become links. */
  readonly #openedMs = new Map<ConnectionId, Millis>()
  /** Per node, its present link to each other one. */
  readonly #links = new Map<HostId, Map<string, Linked>>()
  readonly #lostMs = new Map<HostId, Millis>()
  readonly #kept: Kept[] = []
  /** Per client and document, numbers that its app was not told are saved so far, by tier. */
  readonly #unsaid = new Map<ClientId, { seenTo: number; readonly byDocument: Unsaid }>()
  readonly compared = { quorum: 0, all: 0, said: 0, survived: 0 }

  constructor(world: World) {
    this.#world = world
  }

  onNodeStarted({ host }: SimNode): void {
    this.#links.set(host, new Map())
  }

  onNodeEnded({ host }: SimNode): void {
    this.#links.delete(host)
  }

  onDiskChanged(host: HostId, change: DiskChange): void {
    // An opening loses nothing that could be read.
    if (change !== "renewed") this.#lostMs.set(host, this.#world.scheduler.nowMs)
  }

  onNodeInput(_node: SimNode, input: Input): void {
    if (input.type === "opened") {
      if (input.endpoint.type === "native") this.#natives.add(input.connection)
      else if (input.endpoint.type !== "y-websocket") {
        this.#openedMs.set(input.connection, this.#world.scheduler.nowMs)
      }
    } else if (input.type === "closed") {
      this.#natives.delete(input.connection)
      this.#openedMs.delete(input.connection)
    } else if (input.type === "frame" && input.frame[0] === nativeTags.wantTier) {
      this.#onWant(input.connection, input.frame)
    }
  }

  #onWant(connection: ConnectionId, frame: Uint8Array): void {
    if (!this.#natives.has(connection)) return
    try {
      const message = decodeClientMessage(frame)
      if (message.type !== "want-tier") return
      this.#fromSeq.set(`${connection} ${message.tier}`, message.fromSeq)
    } catch {
      // The node refuses it.
    }
  }

  onNodeEffect(node: SimNode, effect: Effect): void {
    if (effect.type === "emit") return this.#onEvent(node, effect)
    if (effect.type !== "send") return
    const [first] = effect.to
    if (first === undefined || !this.#natives.has(first)) return
    for (const frame of effect.frames) {
      const tag = frame[0]
      if (tag !== nativeTags.ack && tag !== nativeTags.tierStatus) continue
      for (const connection of effect.to) this.#onSaid(node, connection, decodeNodeMessage(frame))
    }
  }

  #onEvent({ host }: SimNode, { event }: Extract<Effect, { type: "emit" }>): void {
    if (event.type !== "link-up" && event.type !== "link-down") return
    const { peer, connection } = event
    const links = this.#links.get(host)
    if (event.type === "link-up") {
      const sinceMs = this.#openedMs.get(connection)
      assert(sinceMs !== undefined, "a link is of a connection that is open")
      links?.set(peer, { connection, sinceMs })
    } else if (links?.get(peer)?.connection === connection) links.delete(peer)
  }

  #onSaid(node: SimNode, connection: ConnectionId, message: NodeMessage): void {
    if (message.type !== "ack" && message.type !== "tier-status") return
    const { tier } = message
    const client = this.#world.oracle.promises.clientOn(connection)
    if (tier === "node" || client === undefined) return
    if (this.#world.oracle.mayReuseNumbers(client.id)) return
    const promised = this.#promisedTo(client.id, tier)
    if (message.type === "tier-status") {
      promised.lostTo = Math.max(promised.lostTo, message.lostTo)
      return
    }
    const fromSeq = this.#fromSeq.get(`${connection} ${tier}`)
    demand(fromSeq !== undefined, INVARIANT, () => `${client.id} did not ask for ${tier}`)
    this.#onAck(node, client, tier, Math.max(fromSeq, promised.lostTo + 1), message.seq)
  }

  #promisedTo(client: ClientId, tier: Tier): Promised {
    const key = `${client} ${tier}`
    const promised = this.#promised.get(key) ?? { acked: new Set(), lostTo: 0 }
    this.#promised.set(key, promised)
    return promised
  }

  #onAck(node: SimNode, client: NumberedClient, tier: Tier, fromSeq: number, seq: number): void {
    const { acked } = this.#promisedTo(client.id, tier)
    for (let number = seq; number >= fromSeq && !acked.has(number); number--) {
      acked.add(number)
      const update = client.updates.get(number)
      if (update !== undefined) this.#check(node, client.id, tier, number, update)
    }
  }

  #check(node: SimNode, client: ClientId, tier: Tier, seq: number, update: Numbered): void {
    this.compared[tier] += 1
    const holders = this.#holders(update)
    const what = `update ${seq} of ${client}`
    const { nodes } = this.#world
    // One that was retired and greeted it since counts for it again: as a holder it may.
    const members = nodes.filter((one) => one === node || !isRetired(node, one))
    const missing = nodes.filter(({ host }) => {
      return !holders.includes(host) && !this.#couldNotKnow(node, host)
    })
    // Whoever knows the secret is a member, and the node takes its word for what it holds.
    const liars = this.#liars(node)
    const count = nodes.length - missing.length + liars
    demand(count >= neededOf(tier, members.length + liars), INVARIANT, () => {
      const names = missing.map((one) => one.node).join(" ")
      return `${node.node} acked ${what} at ${tier}; not on the disks of ${names}`
    })
    if (tier !== "quorum") return
    this.#kept.push({ ...update, what, holders, atMs: this.#world.scheduler.nowMs })
  }

  /** How many members are linked to it that are none of this world's nodes. */
  #liars({ host }: SimNode): number {
    const names = new Set<string>(this.#world.nodes.map((one) => one.node))
    const linked = [...(this.#links.get(host)?.keys() ?? [])]
    return linked.filter((name) => !names.has(name)).length
  }

  #holders({ document, ops }: Numbered): HostId[] {
    const { ledger } = this.#world.oracle
    const hosts = this.#world.nodes.map(({ host }) => host)
    return hosts.filter((host) => ledger.holdings(host).lacks(document, ops) === undefined)
  }

  /** A disk lost something that its process had: its vectors told the truth when they were sent. */
  #couldNotKnow(node: SimNode, host: HostId): boolean {
    const peer = this.#world.nodes[host]
    assert(peer !== undefined, "a host of a node")
    const link = this.#links.get(node.host)?.get(peer.node)
    return link !== undefined && (this.#lostMs.get(host) ?? -Infinity) >= link.sinceMs
  }

  onTick(): void {
    const { writers, clientDisks, oracle } = this.#world
    for (const [index, writer] of writers.entries()) {
      const id = clientDisks[index]?.client
      const client = id === undefined ? undefined : oracle.promises.clientNamed(id)
      if (client === undefined || oracle.mayReuseNumbers(id)) continue
      this.#look(writer, client)
    }
  }

  #look(writer: SimWriter, client: NumberedClient): void {
    const unsaid = this.#unsaid.get(client.id) ?? { seenTo: 0, byDocument: new Map() }
    this.#unsaid.set(client.id, unsaid)
    // Numbers rise, as they come.
    for (const [seq, { document }] of client.updates) {
      if (seq <= unsaid.seenTo) continue
      unsaid.seenTo = seq
      const sets = unsaid.byDocument.get(document) ?? { quorum: new Set(), all: new Set() }
      unsaid.byDocument.set(document, sets)
      for (const tier of tiers) sets[tier].add(seq)
    }
    for (const [document, sets] of unsaid.byDocument) {
      const status = writer.sessionOf(document)?.status
      for (const tier of tiers) {
        if (status?.[tier].state !== "saved" || sets[tier].size === 0) continue
        for (const seq of sets[tier]) {
          if (!this.#isTypedBy(writer, client.updates.get(seq))) continue
          this.#checkSaid(writer, client, tier, seq)
          sets[tier].delete(seq)
        }
      }
    }
  }

  /** A tab may not have heard of what others of its browser typed. */
  #isTypedBy({ shares, host }: SimWriter, update: Numbered | undefined): boolean {
    if (shares.length === 1 || update === undefined) return true
    const { attempts } = this.#world.oracle
    return attempts.find(update.document, update.bytes)?.writer === host
  }

  #checkSaid(writer: SimWriter, client: NumberedClient, tier: Tier, seq: number): void {
    const { acked, lostTo } = this.#promisedTo(client.id, tier)
    const update = client.updates.get(seq)
    if (update === undefined || update.bytes.length === 0 || seq <= lostTo) return
    // Its storage lost it, and the client does not know that it was ever there.
    const { attempts } = this.#world.oracle
    if (attempts.find(update.document, update.bytes)?.forgotten === true) return
    this.compared.said += 1
    const needed = neededOf(tier, this.#world.nodes.length)
    const isKept = acked.has(seq) || this.#holders(update).length >= needed
    demand(isKept || this.#isExcused(update), INVARIANT, () => {
      return `${writer.name} says that its update ${seq} is saved at ${tier}, and it is not`
    })
  }

  #isExcused({ document, ops }: Numbered): boolean {
    return this.#world.oracle.ledger.excused(document)?.has(ops) === true
  }

  onRest(): void {
    this.onTick()
    const { nodes, oracle } = this.#world
    for (const { document, ops, what, holders, atMs } of this.#kept) {
      const isSafe = holders.some((host) => (this.#lostMs.get(host) ?? -Infinity) < atMs)
      if (!isSafe || holders.every((host) => (this.#lostMs.get(host) ?? -Infinity) < atMs)) continue
      this.compared.survived += 1
      for (const { host, node } of nodes) {
        const missing = oracle.ledger.holdings(host).lacks(document, ops)
        demand(missing === undefined, INVARIANT, () => {
          return `${what} was acked at quorum, a disk kept all it had, and ${node} lacks it`
        })
      }
    }
  }
}

function neededOf(tier: Tier, members: number): number {
  return tier === "all" ? members : Math.floor(members / 2) + 1
}

type Unsaid = Map<DocumentId, Record<Tier, Set<number>>>

const INVARIANT = "tier-honesty"

export const tierHonesty: Invariant = {
  name: INVARIANT,
  explain: "what is acked at quorum or all is on that many disks, and no single one is missed",
  watch: (world) => new TierHonesty(world),
}
