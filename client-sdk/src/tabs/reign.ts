/**
 * The client's driver in the tab that leads, for as long as it does: it carries out for all tabs
 * what the protocol between them says, and tells it what comes of that.
 */
import type { DocumentId } from "@causeway/crdt/base"
import type { ClientCore, RetryOutcome } from "@causeway/crdt/client"
import type { LeaderEffect, DriverInput, LeaderMessage } from "@causeway/crdt/client/tabs"
import type { TabId } from "@causeway/crdt/client/tabs"
import type { DriverOptions } from "../client-driver.ts"
import { Driver } from "../driver.ts"
import { guarded } from "../observable.ts"
import type { Replica } from "../replica.ts"
import { freshOf } from "./fresh-updates.ts"
import { answerOf, pendingDocumentsMax } from "./news.ts"
import type { News, Question } from "./news.ts"
import { SharedReplica } from "./shared-replica.ts"

type Own = {
  readonly replica: Replica
  readonly generation: number
  /** Under a leader before, who knew. */
  readonly showsRefused: boolean
}

export type ReignEvents = {
  readonly tell: (input: DriverInput) => void
  readonly post: (message: LeaderMessage) => void
  readonly mayRun: () => boolean
  /** The app's replica in this tab, if it has the document open; generation 0: none is known. */
  readonly own: (document: DocumentId) => Own | undefined
  /** Whether this tab typed there what was not handed in. */
  readonly isAhead: (document: DocumentId) => boolean
  /** Whether other tabs listen. */
  readonly hasFollowers: () => boolean
  readonly watch: (tab: TabId, onGone: () => void) => void
}

export class Reign {
  readonly driver: Driver
  readonly #events: ReignEvents
  readonly #shared = new Map<DocumentId, SharedReplica>()
  #offline: boolean
  #storedSeq = -1
  #safeSeq = -1
  #isOver = false

  constructor(options: DriverOptions, offline: boolean, events: ReignEvents) {
    this.#events = events
    this.#offline = offline
    const { mayRun } = events
    this.driver = new Driver({ ...options, mayRun, onIdle: (core) => this.#onIdle(core) })
    if (offline) this.driver.hand({ type: "go-offline" })
    const { connection, pending, storage, rejections, damages } = this.driver
    connection.subscribe((current) => this.#tell({ connection: current }))
    storage.subscribe((current) => this.#tell({ storage: current }))
    pending.subscribe((current) => {
      this.#tell({ pending: current, pendingDocuments: this.#pendingDocuments() })
    })
    rejections.add(({ seq }) => {
      this.#say({ type: "given-up", what: seq })
      this.#tellRejected()
    })
    damages.add(() => this.#tell({ damaged: this.driver.damaged }))
  }

  /** Another leads, or will at once: nothing more is done here. */
  abandon(): void {
    this.#isOver = true
    void this.driver.abandon()
  }

  async close(): Promise<void> {
    await this.driver.close()
    this.#isOver = true
  }

  carryOut(effect: LeaderEffect): void {
    switch (effect.type) {
      case "watch":
        return this.#watch(effect.tab)
      case "hold":
        return this.#hold(effect.document)
      case "switch":
        return this.#switch(effect.document, effect.own)
      case "release":
        return this.#release(effect.document)
      case "settle":
        return this.#settle(effect.document)
      case "check":
        return this.#check(effect)
      case "hand-in":
        return this.#handIn(effect)
      case "hand-presence":
        return this.driver.hand({ ...effect, type: "local-presence" })
      case "show":
        return guarded(() => this.#shared.get(effect.document)?.show(effect.updates))
      case "snapshot":
        return this.#snapshot(effect)
      case "brief":
        return this.#brief(effect.tab)
      case "answer":
        return this.#answer(effect)
    }
  }

  #watch(tab: TabId): void {
    this.#events.watch(tab, () => this.#say({ type: "tab-gone", tab }))
  }

  #hold(document: DocumentId): void {
    const own = this.#events.own(document)
    const shared = new SharedReplica(
      document,
      own?.generation ?? 0,
      (input) => this.#say(input),
      () => this.#events.isAhead(document),
    )
    this.#shared.set(document, shared)
    const isWanted = (): boolean => !this.#isOver && this.#shared.get(document) === shared
    shared.showsRefused = own?.showsRefused === true
    const opening = shared.standOn(own?.replica).then(() => this.driver.open(shared, isWanted))
    opening.then(
      () => this.#say({ type: "held", document }),
      (error: unknown) => {
        if (!isWanted()) return
        this.#shared.delete(document)
        this.#say({ type: "hold-failed", document, message: String(error) })
      },
    )
  }

  #switch(document: DocumentId, own: boolean): void {
    const mine = own ? this.#events.own(document) : undefined
    const shared = this.#shared.get(document)
    if (shared === undefined || (own && mine === undefined)) return
    shared.showsRefused ||= mine?.showsRefused === true
    shared.standOn(mine?.replica).catch((error: unknown) => {
      guarded(() => {
        throw error
      })
    })
  }

  #release(document: DocumentId): void {
    const shared = this.#shared.get(document)
    this.#shared.delete(document)
    if (shared !== undefined) this.driver.detach(shared)
  }

  #settle(document: DocumentId): void {
    const shared = this.#shared.get(document)
    shared?.whenSettled(() => {
      if (this.#shared.get(document) === shared) this.#say({ type: "settled", document })
    })
  }

  #check({ tab, updates }: Extract<LeaderEffect, { readonly type: "check" }>): void {
    freshOf(updates, (document) => this.driver.kept(document)).then(
      (fresh) => this.#say({ type: "checked", tab, fresh }),
      // The driver is closed: the next leader is asked.
      () => undefined,
    )
  }

  #handIn(effect: Extract<LeaderEffect, { readonly type: "hand-in" }>): void {
    this.driver.hand({ ...effect, type: "local-update" })
    this.driver.hand(({ seqs }) => this.#say({ type: "handed", seq: seqs.last }))
  }

  #snapshot(effect: Extract<LeaderEffect, { readonly type: "snapshot" }>): void {
    const { document, tab, present, reign } = effect
    guarded(() => {
      this.#shared.get(document)?.whole((state) => {
        if (this.#isOver) return
        this.#events.post({ type: "opened", document, state, present, reign, to: [tab] })
      })
    })
  }

  #brief(tab: TabId): void {
    const { connection, pending, storage, rejected, damaged } = this.driver
    const news: News = {
      connection: connection.current,
      pending: pending.current,
      pendingDocuments: this.#pendingDocuments(),
      storage: storage.current,
      offline: this.#offline,
      rejected: [...rejected.values()],
      damaged,
    }
    this.#say({ type: "tell", news, to: tab })
  }

  #answer({ tab, ask, question }: Extract<LeaderEffect, { readonly type: "answer" }>): void {
    // cast: of this very version, as the channel's name says.
    const answering = answerOf(() => this.#reply(question as Question))
    void answering.then((answer) => {
      // Of a driver that was closed: the next leader is asked again.
      const isClosed = !answer.ok && answer.code === "ERR_CLOSED"
      if (!isClosed) this.#say({ type: "answer-ready", tab, ask, answer })
    })
  }

  #reply(question: Question): unknown {
    switch (question.type) {
      case "saved":
        return this.driver.saved(question.document, question.tier)
      case "documents":
        return this.driver.documents()
      case "remove": {
        const { document, discard } = question
        return this.driver.remove(document, discard, () => this.#isShared(document, discard))
      }
      case "dismiss":
        this.driver.dismiss(question.seq)
        return this.#tellRejected()
      case "retry":
        return this.#retry(question.seq)
      case "go":
        this.#offline = question.offline
        this.driver.hand({ type: question.offline ? "go-offline" : "go-online" })
        return this.#tell({ offline: question.offline })
      case "refresh-token":
        return this.driver.hand(question)
    }
  }

  /** Asked right before all that is pending there is discarded, if it is not. */
  #isShared(document: DocumentId, discard: boolean): boolean {
    const isShared = this.#shared.has(document)
    if (discard && !isShared)
      this.driver.hand(() => this.#say({ type: "given-up", what: document }))
    return isShared
  }

  #retry(seq: number): RetryOutcome {
    const outcome = this.driver.retry(seq)
    this.#tellRejected()
    return outcome
  }

  #tellRejected(): void {
    this.#tell({ rejected: [...this.driver.rejected.values()] })
  }

  /** Names them only if somebody listens who can't look. */
  #pendingDocuments(): readonly DocumentId[] {
    if (!this.#events.hasFollowers()) return []
    return this.driver.pendingDocuments().slice(0, pendingDocumentsMax)
  }

  /** What is in memory alone is safe with a node. */
  #onIdle({ storedSeq, seqs }: ClientCore): void {
    const inMemory = this.driver.storage.current.state === "memory-only"
    const safeSeq = inMemory ? seqs.acked : storedSeq
    if (storedSeq === this.#storedSeq && safeSeq === this.#safeSeq) return
    this.#storedSeq = storedSeq
    this.#safeSeq = safeSeq
    this.#say({ type: "stored", storedSeq, safeSeq })
  }

  #tell(news: News): void {
    this.#say({ type: "tell", news, to: undefined })
  }

  #say(input: DriverInput): void {
    if (!this.#isOver) this.#events.tell(input)
  }
}
