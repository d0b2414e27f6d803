/**
 * The engines a node's core is made with. Automerge's WebAssembly costs 16 MB and 40 ms, so it is
 * loaded only when somebody comes through a door behind which Automerge documents can be: the
 * driver holds such an input back until `load` is done. A node that only serves y-websocket
 * clients never loads it.
 */
import { assert } from "@causeway/crdt/base"
import type { EngineName } from "@causeway/crdt/base"
import type { Engine } from "@causeway/crdt/engines"
import { yjsEngine } from "@causeway/crdt/engines/yjs"
import type { Engines } from "@causeway/crdt/node"

export class LazyEngines {
  readonly engines: Engines
  #automerge: Engine | undefined

  constructor() {
    const loaded = (): Engine => {
      assert(this.#automerge !== undefined, "the Automerge engine is used before it is loaded")
      return this.#automerge
    }
    this.engines = {
      yjs: yjsEngine,
      get automerge() {
        return loaded()
      },
    }
  }

  has(engine: EngineName): boolean {
    return engine === "yjs" || this.#automerge !== undefined
  }

  /** Loads what is not there from the start. */
  async load(): Promise<void> {
    const { automergeEngine } = await import("@causeway/crdt/engines/automerge")
    this.#automerge = automergeEngine
  }
}
