/**
 * Web Locks of tabs that share a client: one that whoever leads holds, and one for each tab, held
 * for as long as it lives, so that others learn when it is gone, however it ended.
 */
import { tabsVersion } from "@causeway/crdt/client/tabs"

type LeadEvents = { readonly onGranted: (stolen: boolean) => void; readonly onRobbed: () => void }

export class TabLocks {
  readonly #locks: LockManager
  readonly #name: string
  readonly #tab: string
  readonly #events: LeadEvents
  readonly #ended = new AbortController()
  #waiting = new AbortController()
  /** Who the browser takes this tab for. */
  #clientId: string | undefined
  #release: (() => void) | undefined
  #end: (() => void) | undefined

  constructor(locks: LockManager, name: string, tab: string, events: LeadEvents) {
    this.#locks = locks
    this.#name = `causeway:tabs:${tabsVersion}:${name}`
    this.#tab = tab
    this.#events = events
  }

  /** Holds the tab's own lock. @throws if the host allows no locks. */
  async live(): Promise<void> {
    const name = this.#nameOf(this.#tab)
    await new Promise<void>((resolve, reject) => {
      const held = this.#locks.request(name, () => {
        resolve()
        return new Promise<void>((end) => {
          this.#end = end
        })
      })
      held.catch(reject)
    })
    this.#clientId = await this.#holderOf(name)
  }

  /** Waits behind others for the lock of who leads. */
  request(): void {
    this.#waiting = new AbortController()
    this.#take({ signal: this.#waiting.signal })
  }

  steal(): void {
    this.forgo()
    this.#take({ steal: true })
  }

  /** Waits for the lock no more. */
  forgo(): void {
    this.#waiting.abort()
  }

  /** Whether this tab still is who leads. */
  async look(): Promise<boolean> {
    const holder = await this.#holderOf(this.#name)
    return this.#release !== undefined && holder === this.#clientId
  }

  watch(tab: string, onGone: () => void): void {
    const { signal } = this.#ended
    this.#locks.request(this.#nameOf(tab), { signal }, onGone).catch(() => undefined)
  }

  end(): void {
    this.#ended.abort()
    this.forgo()
    this.#release?.()
    this.#end?.()
  }

  #nameOf(tab: string): string {
    return `${this.#name}:${tab}`
  }

  #take(options: LockOptions): void {
    let isGranted = false
    const held = this.#locks.request(this.#name, options, () => {
      if (this.#ended.signal.aborted) return undefined
      isGranted = true
      return new Promise<void>((release) => {
        this.#release = release
        this.#events.onGranted(options.steal === true)
      })
    })
    held.catch(() => {
      if (!isGranted || this.#ended.signal.aborted) return
      this.#release = undefined
      this.#events.onRobbed()
    })
  }

  async #holderOf(name: string): Promise<string | undefined> {
    const { held = [] } = await this.#locks.query()
    return held.find((lock) => lock.name === name)?.clientId
  }
}
