/**
 * What tabs of one app in one browser share: the lock of who leads, a channel, and the storage.
 * The lock goes to who waited longest, or to who steals it; a tab that is gone has released what it
 * had. What one tab says comes to each other in its order, some time later.
 */
import { assert } from "@causeway/crdt/base"
import type { Millis } from "@causeway/crdt/base"
import { tabMessageOf } from "@causeway/crdt/client/tabs"
import type { TabId, TabInput, TabMessage } from "@causeway/crdt/client/tabs"
import type { ClientDisk } from "../client-disk.ts"
import type { SimRandom } from "../random.ts"
import type { Scheduler } from "../scheduler.ts"
import type { SimWriter } from "../writer.ts"

/** One life of a tab: it takes what it is told when it is awake, and not at all once it ended. */
export type Page = { readonly id: TabId; readonly take: (input: TabInput) => void }

type Watch = { readonly tab: TabId; readonly by: Page; readonly onGone: () => void }

/** On average: from one tab to another, and to the browser's process and back. */
const HOP_MS = 1.5

export class Browser {
  readonly disk: ClientDisk
  /** Its tabs, also those that are closed now. */
  readonly tabs: SimWriter[] = []
  readonly #scheduler: Scheduler
  readonly #random: SimRandom
  readonly #pages = new Set<Page>()
  readonly #arrivals = new Map<string, Millis>()
  #holder: Page | undefined
  #queue: Page[] = []
  #watches: Watch[] = []

  constructor(scheduler: Scheduler, random: SimRandom, disk: ClientDisk) {
    this.#scheduler = scheduler
    this.#random = random
    this.disk = disk
  }

  enter(page: Page): void {
    this.#pages.add(page)
  }

  leave(page: Page): void {
    this.#pages.delete(page)
    this.#forgo(page)
    if (this.#holder === page) this.#holder = undefined
    this.#grant()
    for (const { tab, onGone } of this.#watches) if (tab === page.id) onGone()
    this.#watches = this.#watches.filter(({ tab, by }) => tab !== page.id && by !== page)
  }

  post(from: Page, message: TabMessage): void {
    assert(tabMessageOf(message) !== undefined, () => `not a message: ${message.type}`)
    for (const page of this.#pages) {
      if (page !== from) this.#say(from.id, page, { type: "heard", message })
    }
  }

  request(page: Page): void {
    this.#queue.push(page)
    this.#grant()
  }

  steal(page: Page): void {
    const robbed = this.#holder
    this.#forgo(page)
    this.#holder = page
    if (robbed !== undefined) this.#say("locks", robbed, { type: "robbed" })
    this.#say("locks", page, { type: "granted", stolen: true })
  }

  look(page: Page): void {
    this.#scheduler.after(this.#random.exponential(HOP_MS), () => {
      this.#say("locks", page, { type: "looked", holds: this.#holder === page })
    })
  }

  watch(tab: TabId, by: Page, onGone: () => void): void {
    const isThere = [...this.#pages].some(({ id }) => id === tab)
    if (isThere) this.#watches.push({ tab, by, onGone })
    else onGone()
  }

  #forgo(page: Page): void {
    this.#queue = this.#queue.filter((other) => other !== page)
  }

  #grant(): void {
    if (this.#holder !== undefined) return
    this.#holder = this.#queue.shift()
    if (this.#holder === undefined) return
    this.#say("locks", this.#holder, { type: "granted", stolen: false })
  }

  /** In the order in which `from` said it. */
  #say(from: string, page: Page, input: TabInput): void {
    const way = `${from} ${page.id}`
    const atMs = this.#scheduler.nowMs + this.#random.exponential(HOP_MS)
    const arrivesMs = Math.max(atMs, this.#arrivals.get(way) ?? 0)
    this.#arrivals.set(way, arrivesMs)
    this.#scheduler.at(arrivesMs, () => {
      if (this.#pages.has(page)) page.take(input)
    })
  }
}
