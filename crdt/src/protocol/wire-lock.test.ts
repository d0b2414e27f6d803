/**
 * The wire lock. Everything that two builds must agree on (tags, numbers, wire limits, the bytes of
 * every sample) is hashed per protocol and compared with the hash that was checked in when the
 * version was made. Whoever changes the wire makes a version; the failure says how. Rule [F5].
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { bytesToHex, engineTags, limits } from "../base/index.ts"
import { HASH_BYTES } from "../log/index.ts"
import lock from "./golden/lock.json" with { type: "json" }
import {
  ackTiers,
  closeCodes,
  documentCloseCodes,
  linkTags,
  linkVersions,
  nativeTags,
  nativeVersions,
  NONCE_BYTES,
  PROOF_BYTES,
  rejectCodes,
  tierMarksMax,
  tierMembersMax,
  updatesPerNodeFrameMax,
} from "./index.ts"
import type { VersionRange } from "./index.ts"
import { linkSamples, nativeSamples } from "./test/samples.ts"

/** Every table of numbers and every sample's bytes, by name. */
type Surface = {
  readonly tables: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly frames: Readonly<Record<string, string>>
}

function numbersOf<Entry>(
  table: Readonly<Record<string, Entry>>,
  number: (entry: Entry) => number,
): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(table).map(([name, entry]) => [name, number(entry)]))
}

/** Whether a code may be retried is part of its meaning on the wire, so it is locked with it. */
const closes = numbersOf(closeCodes, ({ code, retry }) => (retry ? code : -code))
/** Of clients alone, and younger than the version of links. */
const ofClients = new Set(["not-authenticated", "token-unchecked", "token-expired"])
const linkCloses = Object.fromEntries(
  Object.entries(closes).filter(([name]) => !ofClients.has(name)),
)
const rejects = numbersOf(rejectCodes, ({ number, retry }) => (retry ? number : -number))
const documentCloses = numbersOf(documentCloseCodes, ({ number, retry }) => {
  return retry ? number : -number
})

function framesOf(
  samples: readonly { readonly name: string; readonly from: string; readonly frame: Uint8Array }[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    samples.map(({ name, from, frame }) => [`${from}: ${name}`, bytesToHex(frame)]),
  )
}

const native: Surface = {
  tables: {
    tags: nativeTags,
    engines: engineTags,
    ackTiers,
    closes,
    rejects,
    documentCloses,
    limits: {
      documentNameBytesMax: limits.documentNameBytesMax,
      frameBytesMax: limits.frameBytesMax,
      updatesPerFrameMax: limits.updatesPerFrameMax,
      updatesPerNodeFrameMax,
      textBytesMax: limits.textBytesMax,
      originsMax: limits.originsMax,
      summaryBytesMax: limits.summaryBytesMax,
      channelsPerConnectionMax: limits.channelsPerConnectionMax,
      presenceEntriesPerFrameMax: limits.presenceEntriesPerFrameMax,
      tierMarksMax,
      tierMembersMax,
    },
  },
  frames: framesOf(nativeSamples()),
}

const link: Surface = {
  tables: {
    tags: linkTags,
    engines: engineTags,
    closes: linkCloses,
    limits: {
      documentNameBytesMax: limits.documentNameBytesMax,
      updateBytesMax: limits.updateBytesMax,
      frameBytesMax: limits.frameBytesMax,
      textBytesMax: limits.textBytesMax,
      originsMax: limits.originsMax,
      linkFrameEntriesMax: limits.linkFrameEntriesMax,
      addressBytesMax: limits.addressBytesMax,
      membersMax: limits.membersMax,
      nonceBytes: NONCE_BYTES,
      proofBytes: PROOF_BYTES,
      presenceEntriesPerFrameMax: limits.presenceEntriesPerFrameMax,
      hashBytes: HASH_BYTES,
    },
  },
  frames: framesOf(linkSamples()),
}

/** Independent of the order in which tables are written down. */
function hashOf(surface: Surface): string {
  const sorted = (table: Readonly<Record<string, unknown>>): [string, unknown][] =>
    Object.entries(table).toSorted(([left], [right]) => (left < right ? -1 : 1))
  const tables = sorted(surface.tables).map(([name]) => [name, sorted(surface.tables[name] ?? {})])
  const text = JSON.stringify([tables, sorted(surface.frames)])
  return createHash("sha256").update(text).digest("hex")
}

const locks: Readonly<Record<string, Readonly<Record<string, string>>>> = lock

/** What is wrong, and what to do about it; undefined if the wire is as it was locked. */
function faultOf(protocol: string, versions: VersionRange, surface: Surface): string | undefined {
  const version = versions.max
  const next = version + 1
  const hash = hashOf(surface)
  const locked = locks[protocol]?.[version]
  if (locked === hash) return undefined
  if (locked === undefined) {
    return `${protocol} ${version} is not locked: add "${version}": "${hash}" to golden/lock.json`
  }
  return [
    `The wire of ${protocol} changed, but its version is still ${version}.`,
    "Not meant? Undo it: builds that speak this version could not understand each other.",
    `Meant? Raise ${protocol}Versions.max to ${next} in version.ts and add a line to its history;`,
    `keep golden/${protocol}-${version}.json as it is and keep decoding it;`,
    `add golden/${protocol}-${next}.json (golden.test.ts says how);`,
    `lock it in golden/lock.json: "${next}": "${hash}".`,
  ].join("\n")
}

const owned = [
  { protocol: "native", versions: nativeVersions, surface: native },
  { protocol: "link", versions: linkVersions, surface: link },
]

describe.each(owned)("$protocol", ({ protocol, versions, surface }) => {
  test("[F5] the wire is as it was when this version was made", () => {
    expect(faultOf(protocol, versions, surface)).toBeUndefined()
  })

  test("[F5] every version up to now has a lock and a line in version.ts's history", () => {
    const source = readFileSync(new URL("version.ts", import.meta.url), "utf8")
    const history = source.slice(0, source.indexOf("*/"))
    for (let version = 1; version <= versions.max; version++) {
      expect(locks[protocol]).toHaveProperty(String(version))
      expect(history).toContain(`${protocol} ${version}: `)
    }
    expect(Object.keys(locks[protocol] ?? {})).toHaveLength(versions.max)
  })

  const tables = Object.keys(surface.tables).map((table) => ({ table }))
  test.each(tables)("[F5] the lock notices a changed number in $table", ({ table }) => {
    for (const [name, value] of Object.entries(surface.tables[table] ?? {})) {
      const changed = { ...surface.tables[table], [name]: value + 100 }
      const fault = faultOf(protocol, versions, {
        ...surface,
        tables: { ...surface.tables, [table]: changed },
      })
      expect(fault, name).toContain(`Raise ${protocol}Versions.max to ${versions.max + 1}`)
      expect(fault).toContain(`golden/${protocol}-${versions.max + 1}.json`)
      expect(fault).toContain("history")
    }
  })

  test("[F5] the lock notices a new or retired tag", () => {
    const { tags, ...others } = surface.tables
    const more = { ...surface, tables: { ...others, tags: { ...tags, more: 99 } } }
    const less = { ...surface, tables: { ...others, tags: { ...tags, ping: 99 } } }
    const none = { ...surface, tables: others }
    for (const changed of [more, less, none]) {
      expect(faultOf(protocol, versions, changed)).toContain("changed")
    }
  })

  test("[F5] the lock notices a change of any message", () => {
    for (const [name, hex] of Object.entries(surface.frames)) {
      for (const bytes of [`${hex}00`, hex.slice(0, -2), hex.replace(/.$/, "e")]) {
        if (bytes === hex) continue
        const changed = { ...surface, frames: { ...surface.frames, [name]: bytes } }
        expect(faultOf(protocol, versions, changed), name).toContain("changed")
      }
    }
  })

  test("[F5] a raised version asks for its lock", () => {
    const raised = { ...versions, max: versions.max + 1 }
    expect(faultOf(protocol, raised, surface)).toContain("golden/lock.json")
  })
})

describe("numbers", () => {
  const spaces: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
    ["native tags", nativeTags],
    ["link tags", linkTags],
    ["engines", engineTags],
    ["ack tiers", ackTiers],
    ["reject codes", numbersOf(rejectCodes, ({ number }) => number)],
    ["document close codes", numbersOf(documentCloseCodes, ({ number }) => number)],
  ]
  test.each(spaces)("[F5] %s are one byte each and none is used twice", (_, table) => {
    const numbers = Object.values(table)
    expect(new Set(numbers).size).toBe(numbers.length)
    for (const number of numbers) {
      expect(Number.isInteger(number) && number >= 1 && number <= 255).toBe(true)
    }
  })
})
