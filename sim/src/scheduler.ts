/**
 * Virtual time: a heap of tasks by time, then by the order in which they were planned. Time only
 * moves when a task is run, so a run is a pure function of what was planned. Tasks can't be taken
 * back; whoever plans one checks at its time whether it still means anything.
 */
import { assert } from "@causeway/crdt/base"
import type { Millis } from "@causeway/crdt/base"
import { demand } from "./violation.ts"

/** So many tasks without time moving are a loop, not a busy moment. */
const TASKS_AT_ONCE_MAX = 200_000

type Task = { readonly atMs: Millis; readonly sequence: number; readonly run: () => void }

export class Scheduler {
  #nowMs: Millis = 0
  #sequence = 0
  #tasksRun = 0
  #tasksAtOnce = 0
  readonly #heap: Task[] = []

  get nowMs(): Millis {
    return this.#nowMs
  }

  get tasksRun(): number {
    return this.#tasksRun
  }

  get size(): number {
    return this.#heap.length
  }

  /** Plans `run` for `atMs`; a time that has passed means now, after what is planned for now. */
  at(atMs: Millis, run: () => void): void {
    assert(Number.isFinite(atMs), "a task needs a time")
    this.#sequence += 1
    const task = { atMs: Math.max(atMs, this.#nowMs), sequence: this.#sequence, run }
    this.#heap.push(task)
    this.#siftUp(this.#heap.length - 1)
  }

  after(delayMs: Millis, run: () => void): void {
    this.at(this.#nowMs + Math.max(0, delayMs), run)
  }

  /** Runs everything planned up to `untilMs`, then sets the clock there. */
  runUntil(untilMs: Millis): void {
    while (this.#nextAtMs() <= untilMs) this.#runNext()
    this.#nowMs = Math.max(this.#nowMs, untilMs)
  }

  /** When the next task is due; infinity if there is none. */
  #nextAtMs(): Millis {
    return this.#heap[0]?.atMs ?? Infinity
  }

  #runNext(): void {
    const task = this.#heap[0]
    const last = this.#heap.pop()
    assert(task !== undefined && last !== undefined, "nothing is planned")
    if (this.#heap.length > 0) {
      this.#heap[0] = last
      this.#siftDown()
    }
    this.#tasksAtOnce = task.atMs > this.#nowMs ? 0 : this.#tasksAtOnce + 1
    demand(this.#tasksAtOnce < TASKS_AT_ONCE_MAX, "liveness", () => "time stands still")
    this.#nowMs = task.atMs
    this.#tasksRun += 1
    task.run()
  }

  #siftUp(start: number): void {
    const heap = this.#heap
    const task = heap[start]
    assert(task !== undefined, "heap index")
    let index = start
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = heap[parentIndex]
      if (parent === undefined || !isBefore(task, parent)) break
      heap[index] = parent
      index = parentIndex
    }
    heap[index] = task
  }

  #siftDown(): void {
    const heap = this.#heap
    const task = heap[0]
    assert(task !== undefined, "heap index")
    let index = 0
    for (;;) {
      const left = index * 2 + 1
      let child = heap[left]
      let childIndex = left
      const right = heap[left + 1]
      if (child !== undefined && right !== undefined && isBefore(right, child)) {
        child = right
        childIndex = left + 1
      }
      if (child === undefined || !isBefore(child, task)) break
      heap[index] = child
      index = childIndex
    }
    heap[index] = task
  }
}

function isBefore(left: Task, right: Task): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.sequence < right.sequence)
}
