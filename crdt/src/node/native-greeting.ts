/**
 * From a client's hello to the node's welcome: the version, the token where tokens are checked,
 * and the client's highest logged update. Rules [N1] [N2] [N22].
 */
import { limits } from "../base/index.ts"
import type { ClientId, ConnectionId } from "../base/index.ts"
import type { ReadResult } from "../ports/index.ts"
import { agreedVersion, encodeWelcome, nativeVersions } from "../protocol/index.ts"
import type { Hello } from "../protocol/index.ts"
import { admissionOf, refuseToken, sayValid } from "./admission.ts"
import type { TokenCheck } from "./admission.ts"
import type { NativeConnection, NativePhase } from "./connections.ts"
import type { Core } from "./core.ts"
import type { Turn } from "./turn.ts"

export class NativeGreeting {
  readonly #core: Core
  readonly #connections: ReadonlyMap<ConnectionId, NativeConnection>
  readonly #byClient = new Map<ClientId, NativeConnection>()
  /** How fresh the node is now, as a frame. */
  readonly #freshness: () => Uint8Array

  constructor(
    core: Core,
    connections: ReadonlyMap<ConnectionId, NativeConnection>,
    freshness: () => Uint8Array,
  ) {
    this.#core = core
    this.#connections = connections
    this.#freshness = freshness
  }

  onHello(turn: Turn, connection: NativeConnection, hello: Hello): void {
    const version = agreedVersion(nativeVersions, hello.versions)
    if (version === undefined) {
      turn.refuse(connection.id, "version-mismatch", `client speaks up to ${hello.versions.max}`)
      return
    }
    if (this.#core.config.checksTokens !== true) {
      this.#admit(turn, connection, hello, version)
      return
    }
    connection.phase = { phase: "checking", hello, version }
    turn.push({ type: "check-token", connection: connection.id, token: hello.token })
  }

  onChecked(
    turn: Turn,
    connection: NativeConnection,
    { hello, version }: Extract<NativePhase, { readonly phase: "checking" }>,
    check: TokenCheck,
  ): void {
    if (check.type !== "valid") {
      refuseToken(turn, connection.id, check)
      return
    }
    connection.admission = admissionOf(check, turn.nowMs)
    this.#admit(turn, connection, hello, version)
  }

  #admit(turn: Turn, connection: NativeConnection, hello: Hello, version: number): void {
    const older = this.#byClient.get(hello.client)
    if (older !== undefined) turn.close(older.id, "replaced")
    this.#byClient.set(hello.client, connection)
    connection.phase = { phase: "welcoming", client: hello.client }
    // What this client wrote through an older connection may still be on its way to the log.
    this.#core.commits.afterwards(turn, (settled) => {
      const query = { type: "client", client: hello.client } as const
      this.#core.reads.start(settled, query, (later, result) => {
        this.#welcome(later, connection, hello, version, result)
      })
    })
  }

  #welcome(
    turn: Turn,
    connection: NativeConnection,
    hello: Hello,
    version: number,
    result: ReadResult,
  ): void {
    if (this.#connections.get(connection.id) !== connection) return
    if (result.type !== "client") {
      turn.refuse(connection.id, "read-failed", "the client's updates can't be looked up")
      return
    }
    connection.unknown = { after: result.seq, before: hello.firstPending }
    connection.phase = { phase: "ready", client: hello.client }
    connection.version = version
    connection.ackedSeq = result.seq
    connection.nextSeq = Math.max(result.seq + 1, hello.firstPending)
    const welcome = encodeWelcome({
      type: "welcome",
      version,
      session: `${this.#core.config.node}/${connection.id}`,
      origin: this.#core.config.origin,
      loggedSeq: result.seq,
      updateBytesMax: limits.updateBytesMax,
      windowBytes: limits.clientWindowBytes,
      heartbeatMs: limits.clientHeartbeatMs,
    })
    turn.send(connection.id, welcome, this.#freshness())
    sayValid(turn, connection)
  }

  onClosed(connection: NativeConnection): void {
    const { phase } = connection
    if ("client" in phase && this.#byClient.get(phase.client) === connection) {
      this.#byClient.delete(phase.client)
    }
  }
}
