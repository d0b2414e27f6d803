/**
 * Virtual sockets between hosts. A connection is two ordered streams of frames, each with a
 * seeded delay. A frame that meets a cut is lost, and so is everything behind it in its stream:
 * what TCP does is either all of it in order or the end of the connection, which both ends learn
 * of after delays of their own. A heal therefore means that somebody dials again. An end that is
 * closing goes on receiving until its close is answered, as real WebSockets do.
 */
import { assert } from "@causeway/crdt/base"
import type { ConnectionId, Millis } from "@causeway/crdt/base"
import type { Endpoint } from "@causeway/crdt/node"
import { HostReading } from "./host-reading.ts"
import type { Meddler } from "./meddler.ts"
import type { SimRandom } from "./random.ts"
import { newEnd } from "./socket-end.ts"
import type { End, Item, SocketOwner } from "./socket-end.ts"
import { Reachability } from "./reachability.ts"
import type { Direction, HostId } from "./reachability.ts"
import type { Scheduler } from "./scheduler.ts"
import type { Trace } from "./trace.ts"
import type { Watch } from "./watch.ts"

export type { SocketOwner } from "./socket-end.ts"

/** The listening side of a host. */
interface Listener {
  onAccepted(connection: ConnectionId, door: Endpoint): SocketOwner
}

/** The dialling side. */
export type DialResult = { readonly connection: ConnectionId } | undefined

export type NetworkOptions = {
  /** Typical one-way delay between nodes, and between a client and a node. */
  readonly nodeDelayMs: Millis
  readonly clientDelayMs: Millis
  /** Every delay is the typical one: for figures, not for finding faults. */
  readonly isSteady?: boolean
  /** Bytes under way past which an end is congested; it drains at a quarter of them. */
  readonly socketBytesMax: number
  /** When an end notices by itself that its stream is torn, at most. */
  readonly detectionMsMax: Millis
}

export const DIAL_TIMEOUT_MS = 5000
const CLOSE_TIMEOUT_MS = 2000
/** What the other end of a vanished connection sees. */
const ABNORMAL_CLOSURE = 1006

export class Network {
  readonly reachability: Reachability
  readonly #scheduler: Scheduler
  readonly #random: SimRandom
  readonly #trace: Trace
  readonly #options: NetworkOptions
  readonly #watch: Watch
  readonly #listeners = new Map<HostId, Listener>()
  readonly #ends = new Map<ConnectionId, End>()
  /** How often a host's process died: what an earlier one asked for means nothing to the next. */
  readonly #deaths = new Map<HostId, number>()
  readonly reading: HostReading
  readonly #meddlers = new Set<Meddler>()
  #nextConnection = 1
  #isClient: (host: HostId) => boolean = () => false

  constructor(
    scheduler: Scheduler,
    random: SimRandom,
    trace: Trace,
    options: NetworkOptions,
    watch: Watch,
  ) {
    this.#watch = watch
    this.#scheduler = scheduler
    this.#random = random
    this.#trace = trace
    this.#options = options
    this.reachability = new Reachability(trace, watch)
    this.reading = new HostReading(scheduler)
  }

  /** Tells which hosts have the delays of clients. */
  clientsAre(isClient: (host: HostId) => boolean): void {
    this.#isClient = isClient
  }

  listen(host: HostId, listener: Listener): void {
    this.#listeners.set(host, listener)
  }

  /**
   * The host's process is gone: its ends are never heard of again there. `silently` as when the
   * power fails; otherwise its system tells the other ends.
   */
  dropHost(host: HostId, silently: boolean): void {
    this.#listeners.delete(host)
    this.#deaths.set(host, (this.#deaths.get(host) ?? 0) + 1)
    this.reading.forget(host)
    for (const end of this.#ends.values()) {
      if (end.host !== host || end.state === "closed") continue
      this.#forget(end)
      if (end.peer !== undefined && !silently) this.#closeAfterDelay(host, end.peer)
    }
  }

  /** Connections that are open at either end. */
  get openCount(): number {
    return this.#ends.size
  }

  /** The door that the connection came through; undefined once it is closed. */
  doorOf(connection: ConnectionId): Endpoint | undefined {
    return this.#ends.get(connection)?.door
  }

  /** Whose ends of broken connections, and to whom, nobody noticed so far. */
  get torn(): Direction[] {
    const directions: Direction[] = []
    for (const { host, torn, peer } of this.#ends.values()) {
      if (peer === undefined) continue
      // Whoever hears nothing waits as well: the other end's stream is broken, or its host gone.
      if (torn || peer.torn || peer.state === "closed") directions.push([host, peer.host])
    }
    return directions
  }

  /** Open connections on which something has come to one of `hosts` that it did not read so far. */
  unreadBy(hosts: ReadonlySet<HostId>): number {
    let count = 0
    for (const { host, peer, torn, orphaned } of this.#ends.values()) {
      if (peer?.waiting === true && !torn && !orphaned && hosts.has(host)) count += 1
    }
    return count
  }

  /** Dialled ends that are open, in the order in which they were dialled. */
  get dialled(): ConnectionId[] {
    const open: ConnectionId[] = []
    for (const { id, isDialler, isKnown, state } of this.#ends.values()) {
      if (isDialler && isKnown && state === "open") open.push(id)
    }
    return open
  }

  /** The hosts of the two ends of a connection. */
  hostsOf(connection: ConnectionId): readonly HostId[] {
    const end = this.#ends.get(connection)
    return [end, end?.peer].flatMap((side) => (side === undefined ? [] : [side.host]))
  }

  /** Bytes that were sent to `host` and did not arrive yet, on its fullest connection. */
  bytesUnderWayTo(host: HostId): number {
    let most = 0
    for (const { peer, bytesUnderWay } of this.#ends.values()) {
      if (peer?.host === host) most = Math.max(most, bytesUnderWay)
    }
    return most
  }

  /** The process of `host` stands still until then, or until it is thawed. */
  freeze(host: HostId, untilMs: Millis): void {
    this.reading.freeze(host, untilMs)
  }

  thaw(host: HostId): void {
    this.reading.forget(host)
    for (const end of this.#ends.values()) {
      if (end.peer?.host === host && end.arrived > 0) this.#readLater(end, 0)
    }
  }

  /** Frames are repeated or overtake each other as `meddler` says, until the answer is called. */
  meddle(meddler: Meddler): () => void {
    this.#meddlers.add(meddler)
    return () => this.#meddlers.delete(meddler)
  }

  /** The connection breaks, first for the named end or for its peer: what is under way is lost. */
  reset(connection: ConnectionId, byPeer: boolean): void {
    const named = this.#ends.get(connection)
    const end = byPeer ? named?.peer : named
    if (end?.state !== "open" || end.peer === undefined || end.torn) return
    const { peer } = end
    this.#trace.add("note", end.host, peer.host, 2)
    if (this.reachability.isCut(end.host, peer.host)) return this.#tear(end)
    end.torn = true
    peer.torn = true
    this.#scheduler.after(0, () => this.#finish(end, ABNORMAL_CLOSURE))
    const delayMs = this.#delay(end.host, peer.host)
    this.#scheduler.after(delayMs, () => this.#finish(peer, ABNORMAL_CLOSURE))
  }

  /** Nothing arrives any more, either way, and no transport ever tells the two ends. */
  halfOpen(connection: ConnectionId): void {
    const end = this.#ends.get(connection)
    if (end?.state !== "open" || end.peer === undefined || end.torn) return
    this.#trace.add("note", end.host, end.peer.host, 4)
    end.torn = true
    end.peer.torn = true
  }

  /**
   * The end that is named is over for its owner, but something between the hosts (a proxy, a
   * mobile network) holds what is under way and hands it over `lateMs` later, before the other
   * end learns of it: meanwhile the owner may have connected again.
   */
  orphan(connection: ConnectionId, lateMs: Millis): void {
    const end = this.#ends.get(connection)
    if (end?.state !== "open" || end.peer === undefined || end.torn) return
    this.#trace.add("note", end.host, end.peer.host, 3)
    end.orphaned = true
    end.heldUntilMs = this.#scheduler.nowMs + lateMs
    this.#transmit(end, { type: "close", code: ABNORMAL_CLOSURE })
    this.#scheduler.after(0, () => this.#finish(end, ABNORMAL_CLOSURE))
  }

  dial(
    from: HostId,
    to: HostId,
    door: Endpoint,
    owner: SocketOwner,
    done: (result: DialResult) => void,
  ): void {
    this.#trace.add("dial", from, to)
    const timeoutMs = this.#random.between(0.2, 1) * DIAL_TIMEOUT_MS
    const fail = (delayMs: Millis): void =>
      this.#scheduler.after(delayMs, () => {
        this.#trace.add("dial-failed", from, to)
        done(undefined)
      })
    if (this.reachability.isCut(from, to)) return fail(timeoutMs)
    const deaths = this.#deaths.get(from)
    const attempt = (): void => {
      if (this.#deaths.get(from) !== deaths) return
      if (this.reachability.isCut(from, to)) return fail(timeoutMs)
      if (this.reading.isFrozen(to)) return this.#whenThawed(to, timeoutMs, attempt, fail)
      const listener = this.#listeners.get(to)
      const backMs = this.#delay(to, from)
      if (listener === undefined) {
        return fail(this.reachability.isCut(to, from) ? timeoutMs : backMs)
      }
      this.#establish(from, to, door, owner, listener, { backMs, timeoutMs, done })
    }
    this.#scheduler.after(this.#delay(from, to), attempt)
  }

  /** A process that stands still answers no handshake: later, if the dialler waits so long. */
  #whenThawed(
    to: HostId,
    timeoutMs: Millis,
    attempt: () => void,
    fail: (delayMs: Millis) => void,
  ): void {
    const waitMs = this.reading.frozenUntilMs(to) - this.#scheduler.nowMs
    if (waitMs > timeoutMs) fail(timeoutMs)
    else this.#scheduler.after(waitMs, attempt)
  }

  #establish(
    from: HostId,
    to: HostId,
    door: Endpoint,
    owner: SocketOwner,
    listener: Listener,
    answer: { backMs: Millis; timeoutMs: Millis; done: (result: DialResult) => void },
  ): void {
    const dialled = this.#newEnd(from, door, true, owner)
    const accepted = this.#newEnd(to, door, false, {
      onFrame: (connection, frame) => acceptedOwner.onFrame(connection, frame),
      onBadFrame: (connection, why) => acceptedOwner.onBadFrame?.(connection, why),
      onClosed: (connection, code) => acceptedOwner.onClosed(connection, code),
      onCongested: (connection) => acceptedOwner.onCongested?.(connection),
      onDrained: (connection) => acceptedOwner.onDrained?.(connection),
    })
    dialled.peer = accepted
    accepted.peer = dialled
    const openMs = this.#scheduler.nowMs + answer.backMs
    accepted.lastArrivalMs = openMs
    this.#trace.add("opened", to, from, accepted.id)
    const acceptedOwner = listener.onAccepted(accepted.id, door)
    this.#scheduler.at(openMs, () => {
      if (this.reachability.isCut(to, from)) {
        this.#tear(accepted)
        this.#forget(dialled)
        this.#scheduler.after(answer.timeoutMs, () => answer.done(undefined))
        return
      }
      // The other host died meanwhile, and its system's answer was faster.
      if (dialled.state === "closed") return answer.done(undefined)
      this.#trace.add("opened", from, to, dialled.id)
      dialled.isKnown = true
      answer.done({ connection: dialled.id })
      if (accepted.state === "closed") this.#closeAfterDelay(to, dialled)
    })
  }

  #newEnd(host: HostId, door: Endpoint, isDialler: boolean, owner: SocketOwner): End {
    const end = newEnd(this.#nextConnection++, host, door, isDialler, owner)
    this.#ends.set(end.id, end)
    return end
  }

  /** What is sent on a connection that is closed or closing goes nowhere. */
  send(connection: ConnectionId, frame: Uint8Array): void {
    const end = this.#ends.get(connection)
    if (end?.state !== "open" || end.peer === undefined) return
    const { host: to } = end.peer
    this.#trace.add("send", end.host, to, frame[0] ?? 0, frame)
    this.#carry(end, frame)
    if (this.#meddlers.size > 0) this.#repeat(end, frame)
  }

  /** A frame too long for any transport, or a text one: nobody carries its bytes. */
  sendBad(connection: ConnectionId, why: "too-large" | "malformed"): void {
    const end = this.#ends.get(connection)
    if (end?.state !== "open" || end.peer === undefined) return
    if (end.torn || this.reachability.isCut(end.host, end.peer.host)) return this.#lose(end)
    this.#transmit(end, { type: "bad-frame", why })
  }

  #carry(end: End, frame: Uint8Array): void {
    end.bytesUnderWay += frame.length
    if (!end.congested && end.bytesUnderWay > this.#options.socketBytesMax) {
      end.congested = true
      this.#scheduler.after(0, () => {
        if (end.state === "open" && end.congested) end.owner.onCongested?.(end.id)
      })
    }
    const { peer } = end
    if (end.torn || (peer !== undefined && this.reachability.isCut(end.host, peer.host))) {
      return this.#lose(end)
    }
    this.#transmit(end, { type: "frame", frame })
  }

  /** Once more, now or later on the same connection, if a meddler wants it. */
  #repeat(end: End, frame: Uint8Array): void {
    for (const meddler of this.#meddlers) {
      const afterMs = meddler.repeatAfterMs?.(end.door, end.isDialler, frame)
      if (afterMs === undefined) continue
      // The sender may use its buffer again.
      const copy = frame.slice()
      const again = (): void => {
        if (end.state === "open" && this.#meddlers.has(meddler)) this.#carry(end, copy)
      }
      if (afterMs === 0) again()
      else this.#scheduler.after(afterMs, again)
    }
  }

  #transmit(end: End, item: Item): void {
    assert(end.peer !== undefined, "a stream has two ends")
    const atMs = this.#scheduler.nowMs + this.#delay(end.host, end.peer.host)
    end.lastArrivalMs = Math.max(end.lastArrivalMs, atMs)
    end.stream.push(item)
    if (this.#meddlers.size > 0) this.#overtake(end)
    this.#scheduler.at(end.lastArrivalMs, () => {
      end.arrived += 1
      this.#read(end)
    })
  }

  /** The last frame of a stream goes before the one that left before it, if a meddler wants. */
  #overtake(end: End): void {
    const { stream, door } = end
    const last = stream.at(-1)
    const before = stream.length - 1 > end.arrived ? stream.at(-2) : undefined
    if (last?.type !== "frame" || before?.type !== "frame") return
    for (const meddler of this.#meddlers) {
      if (meddler.overtakes?.(door, last.frame, before.frame) !== true) continue
      stream.splice(-2, 2, last, before)
      return
    }
  }

  /** The peer's host reads what has arrived, unless it does not read now: then it does later. */
  #read(end: End): void {
    const peer = end.peer
    if (peer === undefined || end.waiting) return
    for (; end.arrived > 0; end.arrived -= 1) {
      const heldMs = Math.max(end.heldUntilMs, this.reading.readsAtMs(peer.host, end.takenMs))
      if (heldMs > this.#scheduler.nowMs) return this.#readLater(end, heldMs)
      const item = end.stream.shift()
      if (item === undefined) return
      if (end.torn || this.reachability.isCut(end.host, peer.host)) this.#lose(end)
      else if (item.type === "close") this.#arriveClose(end, peer, item.code)
      else if (item.type === "bad-frame") this.#arriveBad(peer, item.why)
      else this.#arrive(end, peer, item.frame)
    }
  }

  #readLater(end: End, atMs: Millis): void {
    end.waiting = true
    this.#scheduler.at(atMs, () => {
      end.waiting = false
      this.#read(end)
    })
  }

  #arrive(end: End, peer: End, frame: Uint8Array): void {
    end.bytesUnderWay -= frame.length
    end.takenMs = this.reading.takesMs(peer.host, frame.length)
    if (!peer.orphaned) {
      if (peer.state === "closed") return this.#closeAfterDelay(peer.host, end)
      this.#trace.add("arrive", peer.host, end.host, frame[0] ?? 0, frame)
      this.#watch.onArrived(end.host, peer.host, peer.id, frame)
      peer.owner.onFrame(peer.id, frame)
    }
    if (end.congested && end.bytesUnderWay * 4 <= this.#options.socketBytesMax) {
      end.congested = false
      if (end.state === "open") end.owner.onDrained?.(end.id)
    }
  }

  #arriveBad(peer: End, why: "too-large" | "malformed"): void {
    if (peer.state !== "closed" && !peer.orphaned) peer.owner.onBadFrame?.(peer.id, why)
  }

  #arriveClose(end: End, peer: End, code: number): void {
    if (end.state === "closed") return this.#finish(peer, code)
    // Both ends may close at once; each is then the answer to the other.
    const answers = peer.state === "open"
    this.#finish(peer, code)
    if (!answers) this.#finish(end, code)
    else if (!peer.torn) this.#transmit(peer, { type: "close", code })
  }

  /** A frame met a cut: its stream ends here, and both ends will notice. */
  #lose(end: End): void {
    this.#trace.add("lose", end.host, end.peer?.host ?? 0)
    this.#tear(end)
  }

  #tear(end: End): void {
    if (end.torn) return
    end.torn = true
    for (const side of [end, end.peer]) {
      if (side === undefined) continue
      const noticedMs = this.#random.between(0.05, 1) * this.#options.detectionMsMax
      this.#scheduler.after(noticedMs, () => this.#finish(side, ABNORMAL_CLOSURE))
    }
  }

  /** Starts a close: what was sent before still arrives, then the other end learns of it. */
  close(connection: ConnectionId, code: number): void {
    const end = this.#ends.get(connection)
    if (end?.state !== "open" || end.peer === undefined) return
    end.state = "closing"
    this.#scheduler.after(CLOSE_TIMEOUT_MS, () => this.#finish(end, ABNORMAL_CLOSURE))
    if (!end.torn) this.#transmit(end, { type: "close", code })
  }

  #closeAfterDelay(from: HostId, end: End): void {
    if (this.reachability.isCut(from, end.host)) return this.#tear(end)
    this.#scheduler.after(this.#delay(from, end.host), () => {
      if (this.reachability.isCut(from, end.host)) return this.#tear(end)
      this.#finish(end, ABNORMAL_CLOSURE)
    })
  }

  /** The end is over, and its owner hears so once. */
  #finish(end: End, code: number): void {
    if (end.state === "closed") return
    this.#forget(end)
    this.#trace.add("closed", end.host, end.id, code)
    end.owner.onClosed(end.id, code)
  }

  #forget(end: End): void {
    end.state = "closed"
    this.#ends.delete(end.id)
  }

  #delay(from: HostId, to: HostId): Millis {
    const client = this.#isClient(from) || this.#isClient(to)
    const typicalMs = client ? this.#options.clientDelayMs : this.#options.nodeDelayMs
    const jitter = this.#options.isSteady === true ? 1 : 0.5 + this.#random.exponential(0.5)
    return typicalMs * jitter * this.reachability.slowness(from, to) + 0.01
  }
}
