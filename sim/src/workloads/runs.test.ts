/** Each workload in a short run with faults, and what it is there for has happened in it. */
import { describe, expect, test } from "vitest"
import { builtIn } from "../catalogue.ts"
import { runToEnd } from "../run.ts"
import type { Watcher } from "../watcher.ts"
import type { World } from "../world.ts"
import { documentNamed } from "./documents.ts"
import { allWorkloads } from "./index.ts"
import type { Workload } from "./workload.ts"

const faults = ["drop:5", "halves:8", "crash:8", "client-crash:10", "client-wipe:12", "reopen:4"]
const size = { seed: 31, nodes: 3, clients: 5, stockClients: 2, seconds: 12, faults }

class Seen {
  world: World | undefined
  letGo = 0
  ended = 0
  tidied = 0
  readonly written = new Set<string>()
  readonly writers = new Set<string>()
  /** The most cursors of others that one client showed at once. */
  cursorsMax = 0

  watch(world: World): Watcher {
    this.world = world
    return {
      onLetGo: () => {
        this.letGo += 1
      },
      onForgotten: () => {
        this.ended += 1
      },
      onWrite: (writer, document, token) => {
        this.written.add(document)
        if (token === "tidied") this.tidied += 1
        else this.writers.add(writer.name)
      },
      onTick: () => this.#look(world),
    }
  }

  #look({ writers }: World): void {
    for (const writer of writers) {
      for (const { document, presenceClient } of writer.replicas) {
        const cursors = new Set(writer.sessionOf(document)?.cursors.keys())
        cursors.delete(presenceClient)
        this.cursorsMax = Math.max(this.cursorsMax, cursors.size)
      }
    }
  }
}

function run(workload: Workload): Seen {
  const seen = new Seen()
  const probe = { name: "probe", explain: "only looks", watch: seen.watch.bind(seen) }
  const invariants = [...builtIn.invariants, probe]
  const catalogue = { ...builtIn, workloads: [workload], invariants }
  const report = runToEnd({ ...size, writesPerSecond: 10, workload: workload.name }, catalogue)
  expect(report.failure?.message).toBeUndefined()
  return seen
}

const expected: Readonly<Record<string, (seen: Seen) => void>> = {
  "many-documents": ({ letGo, written }) => {
    expect(letGo).toBeGreaterThan(5)
    expect(written.size).toBeGreaterThan(20)
  },
  "hot-document": ({ written, writers, cursorsMax }) => {
    expect(written.size).toBe(1)
    expect(writers.size).toBeGreaterThan(4)
    expect(cursorsMax).toBeGreaterThan(3)
  },
  visitors: ({ writers, ended }) => {
    expect(writers.size).toBeLessThan(4)
    expect(ended).toBeGreaterThan(10)
  },
  presence: ({ cursorsMax, letGo }) => {
    expect(cursorsMax).toBeGreaterThan(1)
    expect(letGo).toBeGreaterThan(0)
  },
  "split-births": ({ world, written }) => {
    expect(world?.documents.length).toBeGreaterThan(4)
    expect(written.size).toBeGreaterThan(4)
  },
}

describe("every promise holds", () => {
  test.each(allWorkloads)("$name", (workload) => {
    const seen = run(workload)
    expected[workload.name]?.(seen)
  })
})

test("a workload of one's own is a few lines", () => {
  const own: Workload = {
    name: "tally",
    explain: "everybody adds to one list",
    documents: () => ({ documents: [documentNamed("yjs", "tally")], documentsPerClient: 1 }),
    editYjs: (doc, _random, token) => doc.getArray<string>("list").push([token]),
  }
  expect(run(own).writers.size).toBeGreaterThan(3)
})
