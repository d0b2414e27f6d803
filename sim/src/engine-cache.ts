/**
 * Engines whose `validate` remembers: each of a run's nodes, clients and checkers reads the same
 * updates, and an update has the same facts wherever it is read (the engines' laws). Bounded by
 * two generations: what was not asked for during a whole one is forgotten.
 */
import { bytesEqual, DecodeError } from "@causeway/crdt/base"
import type { Engine, UpdateFacts } from "@causeway/crdt/engines"
import { automergeEngine } from "@causeway/crdt/engines/automerge"
import { yjsEngine } from "@causeway/crdt/engines/yjs"
import type { Engines } from "@causeway/crdt/node"
import { changesOf } from "./automerge-changes.ts"
import { checksum } from "./checksum.ts"

/** Updates in one generation, and their bytes in all. */
const GENERATION_MAX = 4096
const GENERATION_BYTES_MAX = 16 * 1024 * 1024
/** A longer one is not remembered; of many changes in one update, each is. */
const REMEMBERED_BYTES_MAX = 1024 * 1024
/** As the parts of a longer one are mostly remembered from elsewhere, those are asked first. */
const WHOLE_BYTES_MAX = 2048

type Known = { readonly update: Uint8Array; readonly facts: UpdateFacts }

function withMemory(engine: Engine): Engine {
  let recent = new Map<number, Known>()
  let old = new Map<number, Known>()
  let recentBytes = 0
  const validateLong = (update: Uint8Array): UpdateFacts =>
    (engine.name === "automerge" ? factsByChange(remembering, update) : undefined) ??
    engine.validate(update)
  const remembering: Engine = {
    ...engine,
    validate(update) {
      if (update.length > REMEMBERED_BYTES_MAX) return validateLong(update)
      const key = checksum(update)
      const held = recent.get(key)
      const known = held ?? old.get(key)
      if (known !== undefined && bytesEqual(known.update, update)) {
        if (held === undefined) recent.set(key, known)
        return known.facts
      }
      const facts = update.length > WHOLE_BYTES_MAX ? validateLong(update) : engine.validate(update)
      if (recent.size >= GENERATION_MAX || recentBytes + update.length > GENERATION_BYTES_MAX) {
        old = recent
        recent = new Map()
        recentBytes = 0
      }
      recentBytes += update.length
      // A copy: the update may be a view of a frame.
      recent.set(key, { update: update.slice(), facts })
      return facts
    },
  }
  return remembering
}

/** The facts of many changes, of each as it is remembered. Undefined for anything else. */
function factsByChange(engine: Engine, update: Uint8Array): UpdateFacts | undefined {
  const changes = tryChangesOf(update)
  if (changes === undefined || changes.length < 2) return undefined
  const spans: UpdateFacts["spans"][number][] = []
  const waits: UpdateFacts["waits"][number][] = []
  const gives = new Set<string>()
  for (const change of changes) {
    const facts = engine.validate(change)
    const [hash, ...others] = facts.gives
    if (hash === undefined || others.length > 0) return undefined
    if (gives.has(hash)) continue
    gives.add(hash)
    spans.push(...facts.spans)
    waits.push(...facts.waits)
  }
  const needs = new Set(waits.map(({ on }) => on).filter((hash) => !gives.has(hash)))
  return { spans, waits, needs: [...needs], gives: [...gives] }
}

function tryChangesOf(update: Uint8Array): Uint8Array[] | undefined {
  try {
    return changesOf(update)
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

/** The product's engines, with a memory that outlives a run. */
export const engines: Engines = {
  yjs: withMemory(yjsEngine),
  automerge: withMemory(automergeEngine),
}
