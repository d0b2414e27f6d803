/** Undoes what a test has started, in reverse order, whatever happened in between. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export class Cleanup {
  #steps: (() => unknown)[] = []

  add(step: () => unknown): void {
    this.#steps.push(step)
  }

  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).toReversed()) await step()
  }

  /** A folder that is removed at the end. */
  folder(): string {
    const path = mkdtempSync(join(tmpdir(), "causeway-server-"))
    this.add(() => rmSync(path, { recursive: true, force: true }))
    return path
  }
}
