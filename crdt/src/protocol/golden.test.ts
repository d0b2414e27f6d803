/**
 * Golden bytes: what each version's messages are on the wire, for good. The file of the version now
 * spoken holds exactly the samples; older files only need to decode.
 *
 * A new version: copy its predecessor's file, add it to test/golden.ts, then write it with
 * CAUSEWAY_GOLDEN=write npx vitest run crdt/src/protocol/golden.test.ts
 */
import { writeFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { bytesToHex } from "../base/index.ts"
import { linkTags, linkVersions, nativeTags, nativeVersions } from "./index.ts"
import type { VersionRange } from "./index.ts"
import { describeMessage } from "./test/describe.ts"
import { goldenFileOf, goldenFiles } from "./test/golden.ts"
import type { GoldenFile } from "./test/golden.ts"
import { linkSamples, nativeSamples } from "./test/samples.ts"
import type { Sample } from "./test/samples.ts"

const owned: readonly {
  readonly protocol: string
  readonly versions: VersionRange
  readonly tags: Readonly<Record<string, number>>
  readonly samples: readonly Sample[]
}[] = [
  {
    protocol: "native",
    versions: nativeVersions,
    tags: nativeTags,
    samples: nativeSamples(),
  },
  { protocol: "link", versions: linkVersions, tags: linkTags, samples: linkSamples() },
]

function current(protocol: string, versions: VersionRange): GoldenFile {
  const file = goldenFileOf(protocol, versions.max)
  if (file === undefined) throw new Error(`add golden/${protocol}-${versions.max}.json`)
  return file
}

if (process.env["CAUSEWAY_GOLDEN"] === "write") {
  for (const { protocol, versions, samples } of owned) {
    const frames = samples.map(({ name, from, message, frame }) => {
      return { name, from, message, hex: bytesToHex(frame) }
    })
    const file = new URL(`./golden/${protocol}-${versions.max}.json`, import.meta.url)
    const text = JSON.stringify({ protocol, version: versions.max, frames }, undefined, 2)
    writeFileSync(file, `${text}\n`)
  }
}

describe.each(owned)("$protocol", ({ protocol, versions, tags, samples }) => {
  test("[F5] every version still spoken has its golden file", () => {
    for (let version = versions.min; version <= versions.max; version++) {
      expect(goldenFileOf(protocol, version)?.frames.length, `version ${version}`).toBeGreaterThan(
        0,
      )
    }
  })

  test("[F5] the samples are encoded to the golden bytes", () => {
    const written = current(protocol, versions).frames.map(({ name, codec, message, frame }) => {
      return { name, from: codec.from, message, hex: bytesToHex(frame) }
    })
    const sampled = samples.map(({ name, from, message, frame }) => {
      return { name: `${protocol} ${versions.max}: ${name}`, from, message, hex: bytesToHex(frame) }
    })
    expect(sampled).toEqual(written)
  })

  test("[F5] the golden bytes of this version are encoded again to the same bytes", () => {
    for (const { name, codec, frame } of current(protocol, versions).frames) {
      expect(bytesToHex(codec.recode(frame)), name).toBe(bytesToHex(frame))
    }
  })

  test("[F5] every tag stands first in a golden frame", () => {
    const seen = current(protocol, versions).frames.map(({ frame }) => frame[0])
    const live = Object.entries(tags).filter(([name]) => !name.startsWith("retired"))
    expect(new Set(seen)).toEqual(new Set(live.map(([, tag]) => tag)))
  })
})

describe.each(goldenFiles)("$protocol $version", ({ frames }) => {
  test.each(frames)("[F1] [F5] $name decodes to its message", ({ codec, frame, message }) => {
    expect(describeMessage(codec.decode(frame))).toEqual(message)
  })
})
