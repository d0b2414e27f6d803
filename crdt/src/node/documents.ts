/**
 * The documents in use: opens and forgets them, holds the cache of their logs within its byte
 * budget, and runs the tasks that need a whole document, one at a time per document, on one read
 * and one job each. What comes of a task is told to its listener (`TaskDone`).
 */
import { assert, bytesEqual, limits, partsOfDocumentId } from "../base/index.ts"
import type { DocumentId, EngineName } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import type { UpdateFacts } from "../engines/index.ts"
import type { ReadResult } from "../ports/index.ts"
import { partsOf } from "./document-state.ts"
import type { Engines, Job, JobResult } from "./job.ts"
import { partOverheadBytes } from "./open-document.ts"
import type { Jobs } from "./jobs.ts"
import type { OpenDocument, Task } from "./open-document.ts"
import { Presence } from "./presence.ts"
import type { PresenceBudget } from "./presence.ts"
import type { Reads } from "./reads.ts"
import type { Session } from "./sessions.ts"
import type { Turn } from "./turn.ts"

/** A log that could not be read is not read again for the sake of a write before this is over. */
const unreadablePauseMs = 10_000

/** Documents opened between two searches for idle ones. */
const newDocumentsMax = 64

/** A job's end, the same for all its tasks. `later`: bodies committed while it ran. */
export type TaskDone =
  | {
      readonly type: "done"
      readonly result: JobResult
      readonly later: readonly Uint8Array[]
      readonly isEmpty: boolean
    }
  | {
      readonly type: "unreadable"
      readonly code: "read-failed" | "document-too-large"
      readonly message: string
    }

export type OnTaskDone = (turn: Turn, document: OpenDocument, task: Task, done: TaskDone) => void

export class Documents {
  readonly #engines: Engines
  readonly #reads: Reads
  readonly #jobs: Jobs
  readonly #onTaskDone: OnTaskDone
  readonly #open = new Map<DocumentId, OpenDocument>()
  readonly #presenceBudget: PresenceBudget = { bytes: 0 }
  #nextHandle = 1
  #cachedBytes = 0
  /** A search for idle documents costs as many as are open, so it waits for some to be new. */
  #forgetAtSize: number = limits.idleDocumentsMax

  constructor(engines: Engines, reads: Reads, jobs: Jobs, onTaskDone: OnTaskDone) {
    this.#engines = engines
    this.#reads = reads
    this.#jobs = jobs
    this.#onTaskDone = onTaskDone
  }

  get size(): number {
    return this.#open.size
  }

  all(): Iterable<OpenDocument> {
    return this.#open.values()
  }

  find(id: DocumentId): OpenDocument | undefined {
    return this.#open.get(id)
  }

  /** The open document, opened if it was not; the most recently used one from now on. */
  use(id: DocumentId): OpenDocument {
    const found = this.#open.get(id)
    if (found === undefined && this.#open.size >= this.#forgetAtSize) this.forgetIdle()
    const document = found ?? this.#create(id, partsOfDocumentId(id).engine)
    this.#open.delete(id)
    this.#open.set(id, document)
    return document
  }

  #create(id: DocumentId, engine: EngineName): OpenDocument {
    return {
      id,
      handle: this.#nextHandle++,
      engine: this.#engines[engine],
      sessions: new Set(),
      presence: new Presence(this.#presenceBudget),
      frontier: undefined,
      parts: undefined,
      partsBytes: 0,
      logBytes: 0,
      tasks: new Set(),
      unreadableMs: -Infinity,
      busy: false,
    }
  }

  /** Forgets the least recently used documents that nobody needs, past `idleDocumentsMax`. */
  forgetIdle(): void {
    let excess = this.#open.size - limits.idleDocumentsMax
    for (const document of this.#open.values()) {
      if (excess <= 0) break
      excess -= 1
      if (document.sessions.size > 0 || document.busy || document.tasks.size > 0) continue
      if (document.presence.size > 0) continue
      this.#dropParts(document)
      this.#open.delete(document.id)
    }
    this.#forgetAtSize = Math.max(this.#open.size, limits.idleDocumentsMax) + newDocumentsMax
  }

  /** The session is gone: what still waits for it does not happen. */
  cancel(document: OpenDocument, session: Session): void {
    const isWaiting = session.joinQueued || session.step2Queued || session.state.state === "joining"
    if (!isWaiting) return
    this.#reads.cancel(session)
    for (const task of document.tasks) {
      if ("session" in task && task.session === session) document.tasks.delete(task)
    }
    if (document.tasks.size === 0 && this.#reads.cancel(document)) document.busy = false
  }

  /** A commit brought `body`. Gives whether it takes effect or waits for a predecessor. */
  append(document: OpenDocument, body: Uint8Array, facts: UpdateFacts): "covered" | "pending" {
    const bytes = body.length + partOverheadBytes
    document.logBytes += bytes
    if (document.parts !== undefined) {
      document.parts.push(body)
      document.partsBytes += bytes
      this.#cachedBytes += bytes
      this.#keepBudget(document)
    }
    return document.frontier?.add(facts, body.length) ?? "covered"
  }

  /** Compaction made less of its log. */
  onFolded(id: DocumentId, logBytes: number): void {
    const document = this.#open.get(id)
    if (document !== undefined) document.logBytes = logBytes
  }

  #keepBudget(inUse: OpenDocument): void {
    if (this.#cachedBytes <= limits.documentCacheBytesMax) return
    for (const document of this.#open.values()) {
      if (document !== inUse && !document.busy) this.#dropParts(document)
      if (this.#cachedBytes <= limits.documentCacheBytesMax / 2) return
    }
    if (!inUse.busy) this.#dropParts(inUse)
  }

  #dropParts(document: OpenDocument): void {
    this.#cachedBytes -= document.partsBytes
    document.parts = undefined
    document.partsBytes = 0
  }

  #setParts(document: OpenDocument, parts: Uint8Array[]): void {
    this.#dropParts(document)
    document.parts = parts
    for (const part of parts) document.partsBytes += part.length + partOverheadBytes
    this.#cachedBytes += document.partsBytes
  }

  /** Queues a task; it starts when those before it are done. */
  request(turn: Turn, document: OpenDocument, task: Task): void {
    document.tasks.add(task)
    this.#pump(turn, document)
  }

  /** A document that is written to needs its frontier, to notice missing predecessors. */
  wantFrontier(turn: Turn, document: OpenDocument): void {
    if (document.frontier !== undefined || document.busy || document.tasks.size > 0) return
    if (turn.nowMs - document.unreadableMs < unreadablePauseMs) return
    this.request(turn, document, { type: "frontier" })
  }

  #pump(turn: Turn, document: OpenDocument): void {
    const [first] = document.tasks
    if (document.busy || first === undefined) return
    document.busy = true
    if (document.parts === undefined) {
      const query = { type: "document", document: document.id, since: new VersionVector() } as const
      this.#reads.queue(turn, document, query, (later, result) => {
        this.#onRead(later, document, result)
      })
      return
    }
    const tasks = takeTogether(document.tasks, first)
    const { length } = document.parts
    this.#jobs.start(turn, jobFor(document, first, document.parts.slice()), (later, result) => {
      this.#onJobDone(later, document, tasks, length, result)
    })
  }

  #onRead(turn: Turn, document: OpenDocument, result: ReadResult): void {
    document.busy = false
    if (result.type === "document") {
      this.#setParts(document, partsOf(result))
      document.logBytes = document.partsBytes
      this.#pump(turn, document)
      return
    }
    assert(result.type === "failed", "a document read gives a document")
    document.unreadableMs = turn.nowMs
    const code = result.code === "document-too-large" ? result.code : "read-failed"
    if (code === "document-too-large") document.logBytes = Infinity
    turn.emit({ type: "read-failed", document: document.id, message: result.message })
    const tasks = [...document.tasks]
    document.tasks.clear()
    const done = { type: "unreadable", code, message: result.message } as const
    for (const task of tasks) this.#onTaskDone(turn, document, task, done)
  }

  /** `partsCount`: how many of the document's parts the job was given. */
  #onJobDone(
    turn: Turn,
    document: OpenDocument,
    tasks: readonly Task[],
    partsCount: number,
    result: JobResult,
  ): void {
    document.busy = false
    const parts = document.parts ?? []
    const later = parts.slice(partsCount)
    if ("state" in result) {
      this.#setParts(document, partsCount === 0 ? later : [result.state, ...later])
      document.frontier ??= this.#frontierOf(document, result.state, later)
    }
    const unreadable = result.type === "difference" ? result.unreadable : 0
    if (unreadable > 0) {
      turn.emit({ type: "updates-unreadable", document: document.id, count: unreadable })
    }
    const isEmpty = partsCount === 0 && later.length === 0
    const done = { type: "done", result, later, isEmpty } as const
    for (const task of tasks) this.#onTaskDone(turn, document, task, done)
    this.#keepBudget(document)
    this.#pump(turn, document)
  }

  #frontierOf(document: OpenDocument, state: Uint8Array, later: readonly Uint8Array[]) {
    const frontier = document.engine.frontier(state)
    for (const body of later) frontier.add(document.engine.validate(body), body.length)
    return frontier
  }
}

/** Takes the first task, and with it every join that asks for the very same difference. */
function takeTogether(tasks: Set<Task>, first: Task): Task[] {
  tasks.delete(first)
  const taken = [first]
  if (first.type !== "join") return taken
  for (const task of tasks) {
    if (task.type !== "join" || !bytesEqual(task.summary, first.summary)) continue
    tasks.delete(task)
    taken.push(task)
  }
  return taken
}

function jobFor(document: OpenDocument, task: Task, parts: readonly Uint8Array[]): Job {
  const engine = document.engine.name
  switch (task.type) {
    case "join":
      return { type: "difference", engine, parts, summary: task.summary }
    case "resume":
    case "frontier":
      return { type: "difference", engine, parts, summary: document.engine.emptySummary }
    case "step2":
      return { type: "includes", engine, parts, update: task.update }
    case "json":
      return { type: "json", engine, parts }
  }
}
