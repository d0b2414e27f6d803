/**
 * What no watcher is told and can only be looked up: a disk's health, and a clock that jumped or
 * does not go at the pace of time; and cuts in words. Reads health field by field, so that one
 * added later is shown without a change here.
 */
import type { Millis } from "@causeway/crdt/base"
import type { Direction } from "../reachability.ts"
import type { SimNode } from "../sim-node.ts"

export type Health = { readonly what: string; readonly detail: string } | undefined
/** `pace`: 1 is as time goes, 1.1 ten per cent fast. */
type Clock =
  | { readonly type: "jump"; readonly byMs: Millis }
  | { readonly type: "pace"; readonly pace: number }
type Field = string | number | boolean | undefined

/** A clock that is off by more than this at once jumped; by less, it may go fast or slow. */
const JUMP_MS_MIN = 50
/** Too short a time to tell a clock's pace. */
const PACE_MS_MIN = 20
const PACE_ERROR_MIN = 0.001
const NAMES_MAX = 6

export class Probe {
  readonly #nodes: readonly SimNode[]
  readonly #healthy: readonly ReadonlyMap<string, Field>[]
  readonly #clocks: { atMs: Millis; nowMs: Millis }[]

  constructor(nodes: readonly SimNode[]) {
    this.#nodes = nodes
    this.#healthy = nodes.map(({ disk }) => new Map(fieldsOf(disk.health)))
    this.#clocks = nodes.map(({ clock }) => ({ atMs: 0, nowMs: clock.nowMs }))
  }

  /** What is wrong with that node's disk. */
  disk(index: number): Health {
    const node = this.#nodes[index]
    if (node === undefined) return undefined
    const wrong = fieldsOf(node.disk.health).filter(
      ([name, value]) => this.#healthy[index]?.get(name) !== value,
    )
    if (wrong.length === 0) return undefined
    const words = wrong.map(([name, value]) => wordFor(name, value))
    return { what: kindOf(words), detail: words.join(", ") }
  }

  /** What that node's clock did since the last look; undefined if it is too early to tell. */
  clock(index: number, nowMs: Millis): Clock | undefined {
    const node = this.#nodes[index]
    const last = this.#clocks[index]
    if (node === undefined || last === undefined) return undefined
    const passedMs = nowMs - last.atMs
    const driftMs = node.clock.nowMs - last.nowMs - passedMs
    const jumped = Math.abs(driftMs) > Math.max(JUMP_MS_MIN, passedMs)
    if (!jumped && passedMs < PACE_MS_MIN) return undefined
    this.#clocks[index] = { atMs: nowMs, nowMs: node.clock.nowMs }
    if (jumped) return { type: "jump", byMs: driftMs }
    const pace = 1 + driftMs / passedMs
    return { type: "pace", pace: Math.abs(pace - 1) < PACE_ERROR_MIN ? 1 : pace }
  }
}

function fieldsOf(health: object): [string, Field][] {
  return Object.entries(health).flatMap(([name, value]: [string, unknown]): [string, Field][] => {
    const isPlain = typeof value === "string" || typeof value === "number"
    return isPlain || typeof value === "boolean" || value === undefined ? [[name, value]] : []
  })
}

function wordFor(name: string, value: Field): string {
  if (name === "failing") return value === "store-full" ? "full" : "writes fail"
  if (name === "readsFail") return "reads fail"
  if (name === "slowness" && typeof value === "number") return `${Math.round(value)} × slower`
  const plain = name
    .replace(/^is(?=[A-Z])/, "")
    .replace(/[A-Z]/g, " $&")
    .trim()
    .toLowerCase()
  return value === true ? plain : `${plain} ${String(value)}`
}

function kindOf(words: readonly string[]): string {
  if (words.includes("full")) return "full"
  if (words.some((word) => word.endsWith("fail"))) return "failing"
  return words.some((word) => word.endsWith("slower")) ? "slow" : "trouble"
}

/** A cut in words: `n1 n2 | n3`, or `n1 → n2` where only one direction is cut. */
export function cutWords(
  directions: readonly Direction[],
  nameOf: (host: number) => string,
): string {
  const [first] = directions
  if (first === undefined) return "nothing"
  const left = new Set(directions.filter(([, to]) => to === first[1]).map(([from]) => from))
  const right = new Set(directions.filter(([from]) => from === first[0]).map(([, to]) => to))
  const oneWay = !directions.some(([from, to]) => from === first[1] && to === first[0])
  const expected = left.size * right.size * (oneWay ? 1 : 2)
  const isWhole = expected === directions.length
  const names = (hosts: ReadonlySet<number>): string => listed([...hosts].map(nameOf))
  if (isWhole) return `${names(left)} ${oneWay ? "→" : "|"} ${names(right)}`
  return listed(directions.map(([from, to]) => `${nameOf(from)}→${nameOf(to)}`))
}

/** The first few of them. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_MAX).join(" ")
  return names.length > NAMES_MAX ? `${shown} and ${names.length - NAMES_MAX} more` : shown
}
