/**
 * One document under load: its recording, its writer and its readers. The writer's frames are made
 * before anything is measured. Each reader counts for itself; what any reader completes is reported
 * upwards with the update's number.
 */
import { Delivery } from "./delivery.ts"
import type { DeliverySink } from "./delivery.ts"
import { record } from "./recording.ts"
import { Session } from "./session.ts"
import { UpdateScanner } from "./update-scanner.ts"
import { updateFrame } from "./wire.ts"
import type { Wire } from "./wire.ts"

export type DocumentLoadOptions = {
  /** Decides the writer's client id and with it the recording. */
  readonly number: number
  readonly baseUrl: string
  readonly room: string
  readonly wire: Wire
  readonly updates: number
  readonly onDelivered: DeliverySink
  readonly onFrame: () => void
  readonly onAck: () => void
  readonly onEnd: (why: string) => void
}

const scanner = new UpdateScanner()

export class DocumentLoad {
  readonly room: string
  readonly client: number
  readonly #options: DocumentLoadOptions
  readonly #frames: readonly Uint8Array[]
  readonly #readers: { session: Session; delivery: Delivery }[] = []
  readonly #kept: Uint8Array[] = []
  #keepNext = false
  #writer: Session | undefined

  constructor(options: DocumentLoadOptions) {
    const recording = record(options.number, options.updates)
    this.room = options.room
    this.client = recording.client
    this.#options = options
    this.#frames = recording.updates.map((update) => updateFrame(options.wire, this.room, update))
  }

  get deliveries(): readonly Delivery[] {
    return this.#readers.map((reader) => reader.delivery)
  }

  /** Keeps what the next reader receives, so that its document can be compared afterwards. */
  keepNextReader(): void {
    this.#keepNext = true
  }

  /** The updates the kept reader received, in order. */
  get kept(): readonly Uint8Array[] {
    return this.#kept
  }

  async openReader(): Promise<void> {
    const { onDelivered, onFrame, onEnd } = this.#options
    const delivery = new Delivery(this.client, onDelivered)
    const cover = (client: number, start: number, end: number): void =>
      delivery.cover(client, start, end)
    const kept = this.#keepNext ? this.#kept : undefined
    this.#keepNext = false
    const onContent = (frame: Uint8Array, updateAt: number): void => {
      onFrame()
      scanner.scan(frame, updateAt, cover)
      kept?.push(frame.slice(updateAt))
    }
    const session = await Session.open({ ...this.#address(), onContent, onEnd })
    this.#readers.push({ session, delivery })
  }

  async openWriter(): Promise<void> {
    const { onAck, onEnd } = this.#options
    this.#writer = await Session.open({ ...this.#address(), onAck, onEnd })
  }

  send(index: number): void {
    const frame = this.#frames[index]
    if (frame === undefined) throw new RangeError(`update ${index} was not recorded`)
    this.#writer?.send(frame)
  }

  close(): void {
    this.#writer?.close()
    for (const { session } of this.#readers) session.close()
  }

  #address(): { url: string; wire: Wire; room: string } {
    const { baseUrl, wire } = this.#options
    return { url: `${baseUrl}${this.room}`, wire, room: this.room }
  }
}
