/**
 * What one real WebSocket after the other says and hears: frames in their order, with those of the
 * connection that was made last. The sockets are the host's own.
 */
import { onTestFinished } from "vitest"

export type WireFrame = {
  readonly way: "up" | "down"
  readonly tag: number
  readonly bytes: number
}

export class Wire {
  /** Of the last connection. */
  frames: WireFrame[] = []

  /** Records every WebSocket to one of these addresses until the test ends. */
  static tap(urls: readonly string[]): Wire {
    const wire = new Wire()
    const untapped = globalThis.WebSocket
    class TappedWebSocket extends untapped {
      readonly #frames: WireFrame[] = []

      constructor(url: string | URL) {
        super(url)
        if (!urls.includes(String(url))) return
        wire.frames = this.#frames
        this.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
          if (data instanceof ArrayBuffer) this.#frames.push(frameOf("down", new Uint8Array(data)))
        })
      }

      override send(data: Uint8Array<ArrayBuffer>): void {
        this.#frames.push(frameOf("up", data))
        super.send(data)
      }
    }
    globalThis.WebSocket = TappedWebSocket
    onTestFinished(() => {
      globalThis.WebSocket = untapped
    })
    return wire
  }

  count(way: WireFrame["way"], tag: number): number {
    return this.frames.filter((frame) => frame.way === way && frame.tag === tag).length
  }

  /** How often one side spoke after the other, behind the node's first frame with this tag. */
  roundTripsAfter(tag: number): number {
    const start = this.frames.findIndex((frame) => frame.way === "down" && frame.tag === tag)
    const behind = this.frames.slice(start)
    return behind.filter(({ way }, at) => way === "up" && behind[at - 1]?.way === "down").length
  }
}

function frameOf(way: WireFrame["way"], data: Uint8Array): WireFrame {
  return { way, tag: data[0] ?? 0, bytes: data.length }
}
