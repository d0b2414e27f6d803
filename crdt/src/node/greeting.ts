/**
 * How two nodes come to trust each other before anything of the data is said: both say hello, the
 * dialler proves that it knows the cluster's secret, then the acceptor does. A node without a
 * secret shows an empty proof and takes no other. Rules [L1] [L12].
 */
import { limits } from "../base/index.ts"
import type { NodeId } from "../base/index.ts"
import {
  agreedVersion,
  encodeLinkHello,
  encodeLinkProof,
  linkVersions,
  NONCE_BYTES,
} from "../protocol/index.ts"
import type { CloseReason, LinkHello } from "../protocol/index.ts"
import type { Core } from "./core.ts"
import { isSameProof, proofOf } from "./link-proof.ts"
import type { Hellos, LinkRole } from "./link-proof.ts"
import type { Link, PeerIdentity } from "./link.ts"
import type { Turn } from "./turn.ts"
import type { Twins } from "./twins.ts"

/** Why a peer's proof is not taken; `unexpected`: it has a secret, and this node has none. */
export type AuthFailure = "missing" | "wrong" | "unexpected"

/** Failures that are told apart in the log; after that they are only counted. */
const saidMax = 256
const none = new Uint8Array()

export class Greeting {
  readonly #core: Core
  readonly #twins: Twins
  readonly #refuse: (turn: Turn, link: Link, reason: CloseReason, detail: string) => void
  readonly #said = new Set<string>()

  constructor(
    core: Core,
    twins: Twins,
    refuse: (turn: Turn, link: Link, reason: CloseReason, detail: string) => void,
  ) {
    this.#core = core
    this.#twins = twins
    this.#refuse = refuse
  }

  begin(turn: Turn, link: Link): void {
    const { cluster, node, origin, random, address = "" } = this.#core.config
    const versions = this.#core.config.linkVersions ?? linkVersions
    const nonce = random.bytes(NONCE_BYTES)
    this.#twins.noteOwn(nonce)
    const windowBytes = limits.linkWindowBytes
    const hello = { versions, cluster, node, origin, windowBytes, nonce, address }
    link.state = { state: "greeting", ours: encodeLinkHello({ type: "hello", ...hello }) }
    turn.send(link.connection, link.state.ours)
  }

  /** `frame`: the bytes of `hello`. */
  onHello(turn: Turn, link: Link, hello: LinkHello, frame: Uint8Array): void {
    if (link.state.state !== "greeting") return
    const { cluster, linkVersions: versions = linkVersions } = this.#core.config
    if (agreedVersion(versions, hello.versions) === undefined) {
      const range = `${hello.versions.min}–${hello.versions.max}`
      this.#refuse(turn, link, "link-version-mismatch", `${hello.node}: ${range}`)
      return
    }
    if (hello.cluster !== cluster) {
      this.#refuse(turn, link, "cluster-mismatch", `${hello.node}: ${hello.cluster}`)
      return
    }
    const { node, origin, address } = hello
    const isSelf = this.#twins.isOwn(hello.nonce)
    // What was sent and is not confirmed is kept account of, however much a peer would take.
    const windowBytes = Math.min(hello.windowBytes, limits.linkWindowBytes)
    const { ours } = link.state
    // Frames may be used again by the driver.
    const theirs = frame.slice()
    const isDialler = link.address !== undefined
    const hellos = isDialler
      ? { dialler: ours, acceptor: theirs }
      : { dialler: theirs, acceptor: ours }
    link.state = { state: "proving", peer: { node, origin, windowBytes, address, isSelf }, hellos }
    // Whoever dials in is shown nothing that a secret could be guessed from.
    if (isDialler) this.#prove(turn, link, "dialler", hellos)
  }

  #prove(turn: Turn, link: Link, role: LinkRole, hellos: Hellos): void {
    const { secret } = this.#core.config
    const proof = secret === undefined ? none : proofOf(secret, role, hellos)
    turn.send(link.connection, encodeLinkProof({ type: "proof", proof }))
  }

  /** Gives who the peer is if it may be believed, and both hellos; the link is closed if not. */
  onProof(
    turn: Turn,
    link: Link,
    proof: Uint8Array,
  ): { readonly peer: PeerIdentity; readonly hellos: Hellos } | undefined {
    if (link.state.state !== "proving") return undefined
    const { peer, hellos } = link.state
    const isDialler = link.address !== undefined
    const failure = this.#check(proof, isDialler ? "acceptor" : "dialler", hellos)
    if (failure !== undefined) {
      this.#distrust(turn, link, peer.node, failure)
      return undefined
    }
    if (!isDialler) this.#prove(turn, link, "acceptor", hellos)
    link.state = { state: "proved", peer }
    return { peer, hellos }
  }

  #check(proof: Uint8Array, role: LinkRole, hellos: Hellos): AuthFailure | undefined {
    const { secret } = this.#core.config
    if (secret === undefined) return proof.length === 0 ? undefined : "unexpected"
    if (proof.length === 0) return "missing"
    return isSameProof(proof, proofOf(secret, role, hellos)) ? undefined : "wrong"
  }

  #distrust(turn: Turn, link: Link, peer: NodeId, cause: AuthFailure): void {
    const name = `${link.address ?? ""} ${peer} ${cause}`
    const isNews = !this.#said.has(name) && this.#said.size < saidMax
    if (isNews) this.#said.add(name)
    link.refused = "link-not-authenticated"
    turn.emit({ type: "link-not-authenticated", peer, address: link.address, cause, isNews })
    turn.close(link.connection, "link-not-authenticated")
  }
}
