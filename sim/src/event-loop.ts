/**
 * A process's event loop. While the process is stopped (SIGSTOP, a debugger, a machine that is
 * short of everything) what comes for it waits; it is handled in order, all at once, when the
 * process goes on. Everybody else's time goes on meanwhile.
 */
import { assert } from "@causeway/crdt/base"

export class EventLoop {
  #waiting: (() => void)[] | undefined

  get isPaused(): boolean {
    return this.#waiting !== undefined
  }

  pause(): void {
    assert(this.#waiting === undefined, "the process is stopped already")
    this.#waiting = []
  }

  resume(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const task of waiting) task()
  }

  /** The process died: nothing of it goes on. */
  drop(): void {
    this.#waiting = undefined
  }

  run(task: () => void): void {
    if (this.#waiting === undefined) task()
    else this.#waiting.push(task)
  }
}
