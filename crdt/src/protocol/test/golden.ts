/**
 * The golden files: frames of every version that a node still speaks, written once when the version
 * was made and never again. A new version gets a new file and a line here.
 */
import { assert, bytesFromHex } from "../../base/index.ts"
import link2 from "../golden/link-2.json" with { type: "json" }
import native1 from "../golden/native-1.json" with { type: "json" }
import native2 from "../golden/native-2.json" with { type: "json" }
import native3 from "../golden/native-3.json" with { type: "json" }
import native4 from "../golden/native-4.json" with { type: "json" }
import native5 from "../golden/native-5.json" with { type: "json" }
import yWebsocket1 from "../golden/y-websocket-1.json" with { type: "json" }
import { codecs } from "./codecs.ts"
import type { Codec } from "./codecs.ts"

export type GoldenFrame = {
  readonly name: string
  readonly codec: Codec
  /** What the frame says, as `describeMessage` writes it. */
  readonly message: unknown
  readonly frame: Uint8Array
}

export type GoldenFile = {
  readonly protocol: string
  readonly version: number
  readonly frames: readonly GoldenFrame[]
}

const files = [native1, native2, native3, native4, native5, link2, yWebsocket1]

export const goldenFiles: readonly GoldenFile[] = files.map(parseFile)

export const goldenFrames: readonly GoldenFrame[] = goldenFiles.flatMap(({ frames }) => frames)

export function goldenFileOf(protocol: string, version: number): GoldenFile | undefined {
  return goldenFiles.find((file) => file.protocol === protocol && file.version === version)
}

/** Every golden frame that a codec's side sends. */
export function goldenFramesOf(from: Codec["from"]): readonly GoldenFrame[] {
  return goldenFrames.filter(({ codec }) => codec.from === from)
}

function parseFile(file: {
  readonly protocol: string
  readonly version: number
  readonly frames: readonly {
    readonly name: string
    readonly from: string
    readonly message: unknown
    readonly hex: string
  }[]
}): GoldenFile {
  const { protocol, version } = file
  const frames = file.frames.map(({ name, from, message, hex }) => {
    const codec = codecs.find((candidate) => candidate.from === from)
    const frame = bytesFromHex(hex)
    assert(codec !== undefined && frame !== undefined, () => `golden ${protocol}: ${name}`)
    return { name: `${protocol} ${version}: ${name}`, codec, message, frame }
  })
  return { protocol, version, frames }
}
