/**
 * A node's metrics for Prometheus, in a registry of its own, so that several nodes fit in one
 * process. Label values come from our tables and the configured peers, so their number is bounded.
 */
import type { NodeEvent, NodeStatus, PeerStatus, TokenCheck } from "@causeway/crdt/node"
import type { Renewed } from "@causeway/crdt/ports"
import type { CloseReason } from "@causeway/crdt/protocol"
import { Counter, Gauge, Histogram, Registry } from "prom-client"
import type { Transport } from "../transport/transport.ts"
import { registerProcessMetrics } from "./process-metrics.ts"

const commitBuckets = [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 1, 5]

export class Metrics {
  readonly #registry = new Registry()
  readonly #accepted = this.#counter("updates_accepted_total", "Updates of clients made durable")
  readonly #adopted = this.#counter("updates_adopted_total", "Updates of peers made durable")
  readonly #bytes = this.#counter("log_written_bytes_total", "Bytes of records made durable")
  readonly #delivered = this.#counter("updates_delivered_total", "Updates sent to sessions")
  readonly #pending = this.#counter("updates_pending_total", "Updates that wait for predecessors")
  readonly #unreadable = this.#counter("updates_unreadable_total", "Logged updates left out")
  readonly #rejected = this.#counter("updates_rejected_total", "Updates refused", "code")
  readonly #refused = this.#counter("connections_refused_total", "Connections closed", "reason")
  readonly #failures = this.#counter("store_failures_total", "Commits that failed", "code")
  readonly #readFailures = this.#counter("read_failures_total", "Documents that were not read")
  readonly #tokens = this.#counter("tokens_checked_total", "Tokens checked", "result")
  readonly #linksRefused = this.#counter("links_refused_total", "Links closed", "reason")
  readonly #linkAuthFailures = this.#counter(
    "link_auth_failures_total",
    "Peers that were not believed",
    "cause",
  )
  readonly #refusedByPeers = this.#counter(
    "links_refused_by_peers_total",
    "Links that a peer closed for who this node is",
    "reason",
  )
  readonly #heals = this.#counter("heals_total", "Times a peer was caught up with again")
  readonly #partitions = this.#counter("partitions_total", "Splits that are over")
  readonly #divergences = this.#counter("divergences_total", "Documents whose content differs")
  readonly #transfers = this.#counter("transfers_total", "State transfers that were completed")
  readonly #transfersRefused = this.#counter(
    "transfers_refused_total",
    "Pages of documents that a peer was asked for and could not read",
    "code",
  )
  readonly #transfersUnreadable = this.#counter(
    "transfers_unreadable_total",
    "Pages of documents that a peer asked for and this node could not read",
    "code",
  )
  readonly #folds = this.#counter("documents_folded_total", "Tails of documents put in snapshots")
  readonly #floors = this.#counter("log_floors_moved_total", "Times a log began later")
  readonly #forks = this.#counter("forks_total", "Logs of one origin that differ")
  readonly #twins = this.#counter("twins_total", "Node ids with more than one process")
  readonly #renewals = this.#counter("log_renewals_total", "Openings in doubt", "why")
  readonly #salvaged = this.#counter("entries_salvaged_total", "Entries logged again in doubt")
  readonly #lost = this.#counter("entries_lost_total", "Entries of the log that were unreadable")
  readonly #presence = this.#counter("presence_dropped_total", "Presence states ignored", "why")
  readonly #commits = new Histogram({
    name: "causeway_commit_seconds",
    help: "From the start of a commit to its fsync",
    buckets: commitBuckets,
    registers: [this.#registry],
  })

  constructor(status: () => NodeStatus, connections: Transport["counts"]) {
    this.#gauge("sessions", "Open sessions of clients", () => status().sessions)
    this.#gauge("documents", "Documents in memory", () => status().documents)
    this.#gauge("log_entries", "Entries in the log, of all origins", () => {
      return Object.values(status().vector).reduce((sum, seq) => sum + seq, 0)
    })
    this.#gauge("ready", "1 while the node takes clients", () => Number(status().ready))
    this.#gauge("members", "Members that are known by name, this node among them", () => {
      return status().members.active.length
    })
    this.#gauge("members_unknown", "Members that are known by a configured address alone", () => {
      return status().members.unknown
    })
    this.#gauge("store_failing", "1 while writes are refused", () => {
      return Number(status().store === "failing")
    })
    this.#labelled("connections", "Open WebSockets", "endpoint", () => {
      return Object.entries(connections())
    })
    this.#labelled("link_up", "1 while the peer is linked", "peer", () => {
      return status().peers.map((peer) => [peerName(peer), Number(peer.state === "linked")])
    })
    this.#labelled("behind_entries", "Entries the peer has and this node lacks", "peer", () => {
      return status().peers.map((peer) => [peerName(peer), peer.behind])
    })
    this.#labelled("peer_since_seconds", "When the peer was linked, or last heard", "peer", () => {
      return status().peers.map((peer) => [peerName(peer), peer.sinceMs / 1000])
    })
    this.#gauge("peers_away", "Peers that were linked and are out of reach", () => {
      return status().partition?.away.length ?? 0
    })
    this.#gauge("forks_open", "Logs of one origin that differ from a linked peer's now", () => {
      return status().forks.length
    })
    registerProcessMetrics(this.#registry)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  /** The transport turned somebody away, without the core. */
  onCutOff(reason: CloseReason): void {
    this.#refused.inc({ reason })
  }

  onTokenChecked({ type }: TokenCheck): void {
    this.#tokens.inc({ result: type })
  }

  onRenewed({ why, salvaged, lostCount }: Renewed): void {
    this.#renewals.inc({ why })
    this.#salvaged.inc(salvaged)
    this.#lost.inc(lostCount)
  }

  // oxlint-disable-next-line eslint/complexity -- one flat arm per event.
  onEvent(event: NodeEvent): void {
    switch (event.type) {
      case "committed":
        this.#accepted.inc(event.own)
        this.#adopted.inc(event.adopted)
        this.#bytes.inc(event.bytes)
        return this.#commits.observe(event.tookMs / 1000)
      case "delivered":
        return this.#delivered.inc(event.updates)
      case "update-rejected":
        return this.#rejected.inc({ code: event.code })
      case "update-pending":
        return this.#pending.inc()
      case "updates-unreadable":
        return this.#unreadable.inc(event.count)
      case "connection-refused":
        return this.#refused.inc({ reason: event.reason })
      case "store-failed":
        return this.#failures.inc({ code: event.code })
      case "read-failed":
        return this.#readFailures.inc()
      case "link-refused":
        return this.#linksRefused.inc({ reason: event.reason })
      case "link-not-authenticated":
        return this.#linkAuthFailures.inc({ cause: event.cause })
      case "refused-by-peer":
        return this.#refusedByPeers.inc({ reason: event.reason })
      case "healed":
        return this.#heals.inc()
      case "partition-healed":
        return this.#partitions.inc()
      case "twin-detected":
        return this.#twins.inc()
      case "fork-detected":
        return this.#forks.inc()
      case "presence-dropped":
        return this.#presence.inc({ why: event.why })
      case "divergence-found":
        return this.#divergences.inc()
      case "folded":
        return this.#folds.inc()
      case "truncated":
        return this.#floors.inc(event.floors.length)
      case "transfer-done":
        return this.#transfers.inc()
      case "transfer-refused":
        return this.#transfersRefused.inc({ code: event.code })
      case "transfer-unreadable":
        return this.#transfersUnreadable.inc({ code: event.code })
      case "session-opened":
      case "session-closed":
      case "store-recovered":
      case "store-in-doubt":
      case "partition-noticed":
      case "snapshot-unreadable":
      case "transfer-begun":
      case "transfer-stopped":
      case "divergence-over":
      case "link-up":
      case "link-down":
      case "document-deleted":
      case "document-created":
        return undefined
    }
  }

  #counter(name: string, help: string, label?: string): Counter {
    const labelNames = label === undefined ? [] : [label]
    return new Counter({ name: `causeway_${name}`, help, labelNames, registers: [this.#registry] })
  }

  #gauge(name: string, help: string, read: () => number): void {
    const registers = [this.#registry]
    // oxlint-disable-next-line no-new -- the registry keeps it.
    new Gauge({
      name: `causeway_${name}`,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }

  #labelled(
    name: string,
    help: string,
    label: string,
    read: () => readonly (readonly [string, number])[],
  ): void {
    const registers = [this.#registry]
    // oxlint-disable-next-line no-new -- the registry keeps it.
    new Gauge({
      name: `causeway_${name}`,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset()
        for (const [value, number] of read()) this.set({ [label]: value }, number)
      },
    })
  }
}

function peerName(peer: PeerStatus): string {
  return peer.node ?? peer.address ?? "unknown"
}
