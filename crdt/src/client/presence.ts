/**
 * Presence over all documents: own states leave at most every `presencePaceMs`, the latest wins,
 * and are renewed before nodes forget them; what others say comes in [N9].
 */
import { limits } from "../base/index.ts"
import type { ConnectionId, Millis } from "../base/index.ts"
import { encodeClientPresence } from "../protocol/index.ts"
import type { DocumentPresence } from "../protocol/index.ts"
import type { Channels } from "./channels.ts"
import { clientLimits } from "./client-limits.ts"
import type { DocumentRecord } from "./document-table.ts"
import type { ClientEffect } from "./effect.ts"
import type { ClientInput } from "./input.ts"

type LocalPresence = Extract<ClientInput, { readonly type: "local-presence" }>

export class Presence {
  readonly #channels: Channels
  #paceUntilMs: Millis = 0
  #renewAtMs: Millis | undefined
  /** Documents with states to send, in the order they asked. */
  readonly #unsent = new Set<DocumentRecord>()
  /** Documents in which this client is present. */
  readonly #present = new Set<DocumentRecord>()

  constructor(channels: Channels) {
    this.#channels = channels
  }

  /** Whether nodes are to hear from this client often [N19]. */
  get isShown(): boolean {
    return this.#present.size > 0
  }

  set(input: LocalPresence, effects: ClientEffect[]): void {
    const { document, client, state, above } = input
    const record = this.#channels.table.get(document)
    if (record === undefined || !record.held) return
    if (state.length > limits.presenceStateBytesMax) {
      const event = { type: "presence-too-large", document, bytes: state.length } as const
      effects.push({ type: "emit", event })
      return
    }
    record.presence.set(client, state, above)
    this.#unsent.add(record)
    this.#channels.engage(record)
    if (record.presence.hasOwn) this.#present.add(record)
    else this.#present.delete(record)
  }

  /** Says goodbye in a document before its channel is closed. */
  leave(record: DocumentRecord, socket: ConnectionId | undefined, effects: ClientEffect[]): void {
    record.presence.leaveAll()
    if (socket !== undefined) this.#send(record, socket, effects)
    this.#unsent.delete(record)
    this.#present.delete(record)
  }

  connected(nowMs: Millis): void {
    this.#paceUntilMs = nowMs
    this.#renewAtMs = nowMs + clientLimits.presenceRenewMs
    for (const record of this.#present) this.#unsent.add(record)
  }

  disconnected(): void {
    this.#renewAtMs = undefined
  }

  receive(message: DocumentPresence, effects: ClientEffect[]): void {
    const record = this.#channels.table.byHandle(message.handle)
    if (record === undefined || !record.held) return
    const { news, contested } = record.presence.receive(message.entries)
    if (contested) this.#unsent.add(record)
    if (news.length === 0) return
    effects.push({ type: "presence", document: record.document, entries: news })
  }

  /** Sends what is due on a connection that is ready. */
  settle(nowMs: Millis, socket: ConnectionId, effects: ClientEffect[]): void {
    if (this.#renewAtMs !== undefined && nowMs >= this.#renewAtMs) {
      this.#renewAtMs = nowMs + clientLimits.presenceRenewMs
      for (const record of this.#present) {
        record.presence.renew()
        this.#unsent.add(record)
      }
    }
    if (nowMs < this.#paceUntilMs) return
    for (const record of this.#unsent) {
      // Without a channel it stays in line: opening one renews it.
      if (!this.#send(record, socket, effects)) continue
      this.#unsent.delete(record)
      this.#paceUntilMs = nowMs + clientLimits.presencePaceMs
    }
  }

  deadlines(): { readonly atMs: Millis | undefined; readonly reason: string }[] {
    const renewAtMs = this.#present.size > 0 ? this.#renewAtMs : undefined
    const unsent = [...this.#unsent].some((record) => record.channel.state !== "closed")
    return [
      { atMs: renewAtMs, reason: "renew-presence" },
      { atMs: unsent ? this.#paceUntilMs : undefined, reason: "presence" },
    ]
  }

  #send(record: DocumentRecord, socket: ConnectionId, effects: ClientEffect[]): boolean {
    const channel = this.#channels.channelOf(record.document)
    if (channel === undefined || this.#channels.table.get(record.document) !== record) return false
    const entries = record.presence.outgoing()
    if (entries.length === 0) return true
    const frame = encodeClientPresence({ type: "presence", channel, entries })
    effects.push({ type: "send", socket, frame })
    return true
  }
}
