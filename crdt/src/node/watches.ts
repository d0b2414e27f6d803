/**
 * Documents that connections watch: their clients have everything of them up to a vector, and
 * nothing is done for them until there is news. A watch is for one time: what may be news, of the
 * document or of one whose name has the same hash, wakes it, and the client opens the document.
 * Registered before the log is asked what changed, so that nothing falls between; who can't be told
 * what changed is told that all may have. Rules [N20] [N21], ADR 12.
 */
import { bytesEqual, documentHash, limits } from "../base/index.ts"
import type { ConnectionId, DocumentId } from "../base/index.ts"
import type { VersionVector } from "../clock/index.ts"
import { encodeCaughtUp, encodeWoken } from "../protocol/index.ts"
import type { Watch } from "../protocol/index.ts"
import type { NativeConnection } from "./connections.ts"
import type { Core } from "./core.ts"
import type { Turn } from "./turn.ts"

/** Of a document; `connection`: of the client that made it, which has it. */
type News = { readonly document: DocumentId; readonly connection?: ConnectionId | undefined }

type Watching = NonNullable<NativeConnection["watching"]>

/** A watch whose answer is being prepared. */
type Look = {
  readonly connection: NativeConnection
  readonly watching: Watching
  readonly since: VersionVector
  readonly woken: Set<number>
  pagesLeft: number
}

export class Watches {
  readonly #byHash = new Map<number, Set<NativeConnection>>()

  /** Whether somebody may watch it. */
  isWatched(document: DocumentId): boolean {
    return this.#byHash.size > 0 && this.#byHash.has(documentHash(document))
  }

  onWatch(turn: Turn, core: Core, connection: NativeConnection, { since, hashes }: Watch): void {
    if (connection.version < 4 || connection.watching !== undefined) {
      turn.refuse(connection.id, "malformed", "a second watch, or one of an older version")
      return
    }
    const watching = { hashes: new Set(hashes), isAnswered: false }
    connection.watching = watching
    for (const hash of watching.hashes) {
      const connections = this.#byHash.get(hash)
      if (connections === undefined) this.#byHash.set(hash, new Set([connection]))
      else connections.add(connection)
    }
    // What the client has by names that were cut may be something else.
    if (core.cuts.cap(since) !== since) return this.#wakeAll(turn, connection, watching)
    const pagesLeft = limits.watchPagesMax
    const look = { connection, watching, since, woken: new Set<number>(), pagesLeft }
    this.#lookAround(core, look)
    return this.#look(turn, core, look, undefined)
  }

  /** Names that were ever deleted, and documents in which somebody is present. */
  #lookAround({ lives, documents }: Core, look: Look): void {
    for (const hash of lives.hashes) this.#take(look, hash)
    for (const { id, presence } of documents.all()) {
      if (presence.size > 0 && presence.current().length > 0) this.#take(look, documentHash(id))
    }
  }

  #look(turn: Turn, core: Core, look: Look, after: DocumentId | undefined): void {
    const { connection, watching, since } = look
    const query = { type: "changed", since, after, limit: limits.watchPageDocuments } as const
    core.reads.queue(turn, watching, query, (later, result) => {
      if (connection.watching !== watching) return
      look.pagesLeft -= 1
      const isFound = result.type === "changed"
      if (!isFound || (result.next !== undefined && look.pagesLeft === 0)) {
        this.#wakeAll(later, connection, watching)
        return
      }
      for (const { document } of result.documents) this.#take(look, documentHash(document))
      if (result.next !== undefined) return this.#look(later, core, look, result.next)
      watching.isAnswered = true
      const held = core.holdings.vector()
      later.send(connection.id, encodeWoken({ type: "woken", held, hashes: [...look.woken] }))
    })
  }

  #take({ connection, watching, woken }: Look, hash: number): void {
    if (!watching.hashes.has(hash)) return
    this.#remove(connection, watching, hash)
    woken.add(hash)
  }

  #wakeAll(turn: Turn, connection: NativeConnection, watching: Watching): void {
    for (const hash of watching.hashes) this.#remove(connection, watching, hash)
    watching.isAnswered = true
    turn.send(connection.id, encodeWoken({ type: "woken", held: undefined, hashes: undefined }))
  }

  #remove(connection: NativeConnection, watching: Watching, hash: number): void {
    watching.hashes.delete(hash)
    const connections = this.#byHash.get(hash)
    connections?.delete(connection)
    if (connections?.size === 0) this.#byHash.delete(hash)
  }

  /** Whoever watches these is told so, also with a full socket: it is four bytes for each, once. */
  wake(turn: Turn, news: Iterable<News>): void {
    if (this.#byHash.size === 0) return
    const woken = new Map<NativeConnection, number[]>()
    for (const { document, connection: author } of news) {
      const hash = documentHash(document)
      for (const connection of this.#byHash.get(hash) ?? []) {
        const { watching } = connection
        if (connection.id === author || watching === undefined) continue
        this.#remove(connection, watching, hash)
        const hashes = woken.get(connection)
        if (hashes === undefined) woken.set(connection, [hash])
        else hashes.push(hash)
      }
    }
    for (const [{ id }, hashes] of woken) {
      turn.send(id, encodeWoken({ type: "woken", held: undefined, hashes }))
    }
  }

  onClosed(core: Core, connection: NativeConnection): void {
    const { watching } = connection
    if (watching === undefined) return
    connection.watching = undefined
    core.reads.cancel(watching)
    for (const hash of watching.hashes) this.#remove(connection, watching, hash)
  }

  /** Behind a `pong`: how far the client has everything, if that is so and new. Rule [N20]. */
  sayCaughtUp(turn: Turn, core: Core, connection: NativeConnection): void {
    const { channels, watching, version } = connection
    const watched = watching?.hashes.size ?? 0
    if (version < 4 || channels.size + watched < (core.config.watchMin ?? limits.watchMin)) return
    if (watching?.isAnswered === false || core.congested.has(connection.id)) return
    for (const { state } of channels.values()) if (state.state !== "live") return
    const vector = core.holdings.vector()
    if (vector.size > limits.caughtUpOriginsMax) return
    const frame = encodeCaughtUp({ type: "caught-up", vector })
    if (connection.caughtUp !== undefined && bytesEqual(connection.caughtUp, frame)) return
    connection.caughtUp = frame
    turn.send(connection.id, frame)
  }
}
