/**
 * One stock client: one socket, one document. Answers what a stock client answers and hands the
 * rest on unparsed. Invariant: a session that the server ends is reported once through `onEnd`,
 * with the code or the reason, and never silently.
 */
import { WebSocket } from "ws"
import { FrameScanner } from "./frame-scanner.ts"
import { emptyAnswerFrame, openingFrames } from "./wire.ts"
import type { Wire } from "./wire.ts"

/** A join that takes longer than this has failed. */
const joinMsMax = 30_000

export type SessionOptions = {
  readonly url: string
  readonly wire: Wire
  readonly room: string
  /** Told of each update or state: the whole frame and where in it the Yjs update begins. */
  readonly onContent?: (frame: Uint8Array, updateAt: number) => void
  readonly onAck?: () => void
  /** Told when the session ends for another reason than `close`. */
  readonly onEnd?: (why: string) => void
}

export class Session {
  readonly #options: SessionOptions
  readonly #socket: WebSocket
  readonly #scanner: FrameScanner
  #state: "joining" | "joined" | "ended" = "joining"
  #answered = false
  #acksToSkip = 0
  #settle: (failure: Error | undefined) => void = () => undefined

  /** Opens a session and waits for the answer to its join; @throws Error if there is none. */
  static async open(options: SessionOptions): Promise<Session> {
    const session = new Session(options)
    await session.#joined()
    return session
  }

  private constructor(options: SessionOptions) {
    this.#options = options
    this.#scanner = new FrameScanner(options.wire)
    this.#socket = new WebSocket(options.url, { perMessageDeflate: false })
    this.#socket.on("open", () => this.#onOpen())
    this.#socket.on("message", (data) => this.#onFrame(data))
    this.#socket.on("error", (error) => this.#end(error.message))
    this.#socket.on("close", (code) => this.#end(`closed with code ${code}`))
  }

  get isOpen(): boolean {
    return this.#state === "joined"
  }

  send(frame: Uint8Array): void {
    if (this.#state !== "ended") this.#socket.send(frame)
  }

  /** Ends the session at once; nothing is reported afterwards. */
  close(): void {
    this.#state = "ended"
    this.#socket.terminate()
  }

  #joined(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#end("no answer to the join"), joinMsMax)
      this.#settle = (failure) => {
        clearTimeout(timer)
        this.#settle = () => undefined
        if (failure === undefined) resolve()
        else reject(failure)
      }
    })
  }

  #onOpen(): void {
    const { wire, room } = this.#options
    for (const frame of openingFrames(wire, room)) this.#socket.send(frame)
    if (!wire.joins) this.#onJoined()
  }

  #onJoined(): void {
    if (this.#state !== "joining") return
    this.#state = "joined"
    this.#settle(undefined)
  }

  #onFrame(data: unknown): void {
    if (!(data instanceof Uint8Array)) return
    let kind
    try {
      kind = this.#scanner.scan(data)
      if (kind === "update" || kind === "state") {
        this.#options.onContent?.(data, this.#scanner.updateAt)
        if (kind === "state") this.#onJoined()
        return
      }
    } catch (error) {
      this.#end(`unreadable frame: ${String(error)}`)
      this.#socket.terminate()
      return
    }
    if (kind === "question") this.#onQuestion()
    else if (kind === "ack") this.#onAck()
    else if (kind === "refusal" || kind === "denied") this.#end(kind)
  }

  #onQuestion(): void {
    const { wire, room } = this.#options
    if (!wire.joins || this.#answered) return
    this.#answered = true
    if (wire.acks) this.#acksToSkip += 1
    this.send(emptyAnswerFrame(wire, room))
  }

  /** The empty answer is acked like an update; acks come in order, so its ack comes first. */
  #onAck(): void {
    if (this.#acksToSkip > 0) this.#acksToSkip -= 1
    else this.#options.onAck?.()
  }

  #end(why: string): void {
    if (this.#state === "ended") return
    const wasJoining = this.#state === "joining"
    this.#state = "ended"
    if (wasJoining) {
      this.#socket.terminate()
      this.#settle(new Error(`${this.#options.url}: ${why}`))
    } else {
      this.#options.onEnd?.(why)
    }
  }
}
