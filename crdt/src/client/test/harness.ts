/**
 * Drives a client core by hand: virtual time, a node whose every message the test writes, and
 * storage that answers at once unless a test holds it back. Frames pass the real codecs.
 */
import { assert, documentIdOf, parseClientId, parseOriginId } from "../../base/index.ts"
import type { ClientId, ConnectionId, DocumentId, Millis, OriginId } from "../../base/index.ts"
import { VersionVector } from "../../clock/index.ts"
import { decodeClientMessage } from "../../protocol/index.ts"
import type { ClientMessage, NodeMessage, Resume, Welcome } from "../../protocol/index.ts"
import { encodeNodeMessage } from "../../protocol/test/codecs.ts"
import type { DocumentReadResult, StorageWrite, StoredClient } from "../../ports/index.ts"
import type { StoredDocument } from "../../ports/index.ts"
import { ClientCore } from "../client-core.ts"
import type { ClientEffect } from "../effect.ts"
import type { ClientInput } from "../input.ts"

export function must<T>(value: T | undefined): T {
  assert(value !== undefined, "the test wants a value here")
  return value
}

export const clientId: ClientId = must(parseClientId("00112233445566778899aabbccddeeff"))
export const origin: OriginId = must(parseOriginId("n1@0000000000000001"))
export const other: OriginId = must(parseOriginId("n2@0000000000000002"))
export const notes: DocumentId = must(documentIdOf("yjs", "notes"))
export const plans: DocumentId = must(documentIdOf("yjs", "plans"))
const nothing: Resume = { type: "nothing" }

export function vector(...entries: [OriginId, number][]): VersionVector {
  return new VersionVector(entries)
}

export function emptyClient(): StoredClient {
  const empty = { outbox: [], nextSeq: 1, rejected: [], tiers: undefined, damaged: [] }
  return { client: clientId, ...empty }
}

/** What storage says that has this of a document. */
export function readOf(stored?: StoredDocument): DocumentReadResult {
  return { ok: true, stored, damaged: [] }
}

type Options = {
  readonly urls?: readonly string[]
  readonly stored?: StoredClient
  readonly authenticated?: boolean
  /** What the generator says each time. */
  readonly chance?: number
  readonly watchMin?: number
}

type Kind = ClientEffect["type"]

export class Harness {
  readonly core: ClientCore
  nowMs: Millis = 1000
  effects: ClientEffect[] = []
  /** Set to false to answer `store` by hand. */
  storing = true
  readonly writes: StorageWrite[] = []

  constructor(options: Options = {}) {
    this.core = new ClientCore({
      urls: options.urls ?? ["ws://one/sync"],
      random: { next: () => options.chance ?? 0.5 },
      stored: options.stored ?? emptyClient(),
      authenticated: options.authenticated ?? false,
      ...(options.watchMin === undefined ? {} : { watchMin: options.watchMin }),
    })
  }

  /** Steps, answers storage, and gives what came out of it all. */
  input(input: ClientInput): ClientEffect[] {
    const mine: ClientEffect[] = []
    this.core.step(input, this.nowMs, mine)
    for (const effect of mine) if (effect.type === "store") this.writes.push(...effect.writes)
    this.effects.push(...mine)
    if (this.storing && mine.some(({ type }) => type === "store")) {
      mine.push(...this.input({ type: "stored", result: { ok: true } }))
    }
    return mine
  }

  /** Lets time pass, deadline by deadline. */
  advance(ms: number): ClientEffect[] {
    const untilMs = this.nowMs + ms
    const mine: ClientEffect[] = []
    for (let count = 0; count < 1000; count++) {
      const next = this.core.nextDeadline()
      if (next === undefined || next.atMs > untilMs) break
      this.nowMs = Math.max(this.nowMs, next.atMs)
      mine.push(...this.input({ type: "deadline" }))
    }
    this.nowMs = untilMs
    // A deadline that stays due would make a driver spin.
    assert((this.core.nextDeadline()?.atMs ?? Infinity) > untilMs, "a deadline was not met")
    return mine
  }

  /** Waits for the next attempt to connect. */
  redial(): ClientEffect[] {
    const next = must(this.core.nextDeadline())
    assert(next.reason === "reconnect", "no attempt is waited for")
    return this.advance(next.atMs - this.nowMs)
  }

  /** Lets time pass while the node answers every ping. */
  live(ms: number): ClientEffect[] {
    const mine: ClientEffect[] = []
    for (let left = ms; left > 0; left -= 1000) {
      mine.push(...this.advance(Math.min(left, 1000)), ...this.node({ type: "pong" }))
    }
    return mine
  }

  get socket(): ConnectionId {
    return must(this.effects.findLast((effect) => effect.type === "connect")).socket
  }

  /** Connects up to `welcome`, and gives all that was sent since. */
  connect(welcome: Partial<Welcome> = {}): ClientMessage[] {
    const before = this.effects.length
    if (this.core.connection.state !== "connecting") this.input({ type: "go-online" })
    this.input({ type: "socket-opened", socket: this.socket })
    this.node(welcomeOf(welcome))
    return sentOf(this.effects.slice(before))
  }

  node(message: NodeMessage): ClientEffect[] {
    return this.input({ type: "frame", socket: this.socket, bytes: encodeNodeMessage(message) })
  }

  hold(document: DocumentId, resume: Resume = nothing, generation = 0): ClientEffect[] {
    return this.input({ type: "open-document", document, generation, resume })
  }

  type(document: DocumentId, ...bytes: number[]): ClientEffect[] {
    return this.input({ type: "local-update", document, bytes: Uint8Array.from(bytes) })
  }

  close(code = 1006): ClientEffect[] {
    return this.input({ type: "socket-closed", socket: this.socket, code, reason: "" })
  }

  /** Opens a channel and completes its catch-up. */
  serve(channel: number, resume: VersionVector = vector(), handle: number = channel + 100): void {
    this.node(openedOf(channel, handle))
    this.node({ type: "updates", handle, complete: true, resume, updates: [] })
  }
}

export function openedOf(channel: number, handle: number = channel + 100): NodeMessage {
  return { type: "opened", channel, handle, access: "write", summary: Uint8Array.of(0) }
}

export function welcomeOf(welcome: Partial<Welcome> = {}): Welcome {
  const usual = { type: "welcome", version: 1, session: "s", origin, loggedSeq: 0 } as const
  const bounds = { updateBytesMax: 1000, windowBytes: 1000, heartbeatMs: 5000 }
  return { ...usual, ...bounds, ...welcome }
}

export function sentOf(effects: readonly ClientEffect[]): ClientMessage[] {
  return effects.flatMap((effect) =>
    effect.type === "send" ? [decodeClientMessage(effect.frame)] : [],
  )
}

export function only<K extends Kind>(
  effects: readonly ClientEffect[],
  kind: K,
): Extract<ClientEffect, { type: K }>[] {
  return effects.filter((effect): effect is Extract<ClientEffect, { type: K }> => {
    return effect.type === kind
  })
}

/** `[seq, …first bytes]` of each update frame. */
export function updatesSent(effects: readonly ClientEffect[]): [number, ...number[]][] {
  return sentOf(effects).flatMap((message) => {
    if (message.type !== "update") return []
    return [[message.seq, ...message.updates.map((bytes) => bytes[0] ?? -1)]]
  })
}

export function ack(seq: number, ...marks: [channel: number, seq: number][]): NodeMessage {
  const list = marks.map(([channel, at]) => ({ channel, seq: at }))
  return { type: "ack", tier: "node", seq, marks: list }
}
