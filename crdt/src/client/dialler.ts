/**
 * The connection's life: which url, when to try again, whether it is still alive. Phases are a
 * union replaced whole. Retryable ends wait with full jitter and then try the healthiest url; a url
 * that ended it for good is left out, and when all have, that is the end [C4]. A silent socket is
 * dead after three heartbeats [N11]. Beside a connection to another url than the first there may be
 * a probe of that one [C7].
 */
import { assert, limits, nodeOfOrigin, utf8Encode } from "../base/index.ts"
import type { ConnectionId, Millis } from "../base/index.ts"
import { clientCloseCodes, encodeToken, mayRetry, pingFrame } from "../protocol/index.ts"
import type { PeerFreshness, Welcome } from "../protocol/index.ts"
import type { Random } from "../ports/index.ts"
import { BackOff } from "./back-off.ts"
import { clientLimits } from "./client-limits.ts"
import type { ClientEffect } from "./effect.ts"
import { FailBack } from "./fail-back.ts"
import type { ConnectionStatus, Why } from "./status.ts"
import { TokenRenewal } from "./token-renewal.ts"
import { UrlHealth } from "./url-health.ts"

export type Phase =
  /** As the app wished, or not started yet. */
  | { readonly state: "offline" }
  | {
      readonly state: "waiting"
      readonly untilMs: Millis
      readonly why: Why
      readonly token: boolean
    }
  | { readonly state: "fetching-token"; readonly untilMs: Millis }
  | {
      readonly state: "dialling"
      readonly socket: ConnectionId
      readonly url: string
      readonly untilMs: Millis
    }
  /** Open; hello was sent. */
  | {
      readonly state: "greeting"
      readonly socket: ConnectionId
      readonly url: string
      readonly untilMs: Millis
    }
  | {
      readonly state: "ready"
      readonly socket: ConnectionId
      readonly url: string
      readonly welcome: Welcome
      readonly heartbeatMs: number
      readonly sinceMs: Millis
    }
  | { readonly state: "closed"; readonly why: Why }

export type ReadyPhase = Extract<Phase, { state: "ready" }>

const appOffline: Why = { code: undefined, reason: "the app asked to be offline" }

/** What a node closes with that does not take the token. */
const notAuthenticated = 4401

/** Closes that this side decides on. Browsers allow 1000 and 3000–4999 only. */
export const leaving = { code: 1000, reason: "the client is leaving" } as const

export function whyOf(
  reason: keyof typeof clientCloseCodes,
  detail: string = clientCloseCodes[reason].says,
): Why {
  return { code: clientCloseCodes[reason].code, reason: detail }
}

export class Dialler {
  readonly #urls: UrlHealth
  readonly #backOff: BackOff
  readonly #failBack: FailBack
  readonly #renewal: TokenRenewal
  readonly #authenticated: boolean
  /** Urls where a WebSocket has opened at least once. */
  readonly #reached = new Set<string>()
  #phase: Phase = { state: "offline" }
  #token = ""
  /** It came behind the hello of a connection that is not ready yet. */
  #isUnshown = false
  #lastSocket: ConnectionId = 0
  #heardMs: Millis = 0
  #pingAtMs: Millis = 0
  #showsPresence = false

  constructor(urls: readonly string[], random: Random, authenticated: boolean) {
    this.#urls = new UrlHealth(urls)
    this.#backOff = new BackOff(random, limits.clientBackoffMsMin, limits.clientBackoffMsMax)
    this.#failBack = new FailBack(random)
    this.#renewal = new TokenRenewal(random)
    this.#authenticated = authenticated
  }

  get phase(): Phase {
    return this.#phase
  }

  get token(): string {
    return this.#token
  }

  status(peers: readonly PeerFreshness[] | undefined): ConnectionStatus {
    const phase = this.#phase
    switch (phase.state) {
      case "offline":
        return { state: "offline", why: appOffline, retryAtMs: undefined }
      case "waiting": {
        const state = phase.token ? "needs-token" : "offline"
        return { state, why: phase.why, retryAtMs: phase.untilMs }
      }
      case "fetching-token":
        return { state: "connecting", url: undefined }
      case "dialling":
      case "greeting":
        return { state: "connecting", url: phase.url }
      case "ready": {
        const { origin, session } = phase.welcome
        return { state: "connected", url: phase.url, node: nodeOfOrigin(origin), session, peers }
      }
      case "closed":
        return { state: "closed", why: phase.why }
    }
  }

  /** The socket in use, opening or open. */
  get socket(): ConnectionId | undefined {
    return "socket" in this.#phase ? this.#phase.socket : undefined
  }

  /** Starts an attempt unless one is under way. */
  start(nowMs: Millis, effects: ClientEffect[]): void {
    const idle = ["offline", "waiting", "closed"].includes(this.#phase.state)
    if (!idle) return
    // The app wants it, whatever nodes said before.
    if (this.#phase.state !== "waiting") this.#urls.forgetRefusals()
    if (!this.#authenticated) return this.#dial(nowMs, effects)
    this.#phase = { state: "fetching-token", untilMs: nowMs + limits.clientHandshakeMs }
    effects.push({ type: "fetch-token" })
  }

  /** A back-off that is under way ends now; a socket that may be dead has one heartbeat left. */
  hurry(nowMs: Millis, effects: ClientEffect[]): void {
    if (this.#phase.state === "waiting") return this.start(nowMs, effects)
    if (this.#phase.state !== "ready") return
    this.#heardMs = Math.min(this.#heardMs, nowMs - 2 * this.#phase.heartbeatMs)
    this.#ping(this.#phase, nowMs, effects)
  }

  tokenIs(token: string, nowMs: Millis, effects: ClientEffect[]): void {
    if (utf8Encode(token).length > limits.textBytesMax) {
      return this.noToken(`the token is over ${limits.textBytesMax} bytes`, nowMs)
    }
    this.#token = token
    if (this.#phase.state === "fetching-token") return this.#dial(nowMs, effects)
    if (!this.#renewal.came()) return
    // Behind hello it has to wait for `welcome`.
    this.#isUnshown = this.#phase.state === "greeting"
    if (this.#phase.state === "ready") this.#show(this.#phase, effects)
  }

  #show({ socket, welcome }: ReadyPhase, effects: ClientEffect[]): void {
    if (welcome.version < 5) return
    effects.push({
      type: "send",
      socket,
      frame: encodeToken({ type: "token", token: this.#token }),
    })
  }

  /** The node takes the token that it was shown last, for so long. False: it can't say that. */
  tokenValid(forMs: Millis, nowMs: Millis): boolean {
    if (this.#phase.state !== "ready" || this.#phase.welcome.version < 5) return false
    this.#renewal.valid(forMs, nowMs)
    return true
  }

  /** Another token, on the connection that there is, or that opens. Version 4 has no way to. */
  refreshToken(nowMs: Millis, effects: ClientEffect[]): void {
    const phase = this.#phase
    if (phase.state === "waiting") return this.start(nowMs, effects)
    if (phase.state === "ready" ? phase.welcome.version < 5 : !("socket" in phase)) return
    this.#renewal.asks(nowMs)
    effects.push({ type: "fetch-token" })
  }

  noToken(message: string, nowMs: Millis): void {
    if (this.#phase.state !== "fetching-token") {
      this.#renewal.came()
      return
    }
    this.#wait({ code: undefined, reason: message }, true, nowMs)
  }

  /** The socket is open and hello is on its way. */
  greeted(nowMs: Millis): void {
    assert(this.#phase.state === "dialling", "greeted without dialling")
    const { socket, url } = this.#phase
    this.#reached.add(url)
    this.#isUnshown = false
    this.#phase = { state: "greeting", socket, url, untilMs: nowMs + limits.clientHandshakeMs }
  }

  ready(welcome: Welcome, nowMs: Millis, effects: ClientEffect[]): void {
    assert(this.#phase.state === "greeting", "ready without greeting")
    const { socket, url } = this.#phase
    const wantedMs = Math.max(welcome.heartbeatMs, clientLimits.heartbeatMsMin)
    const heartbeatMs = Math.min(wantedMs, clientLimits.heartbeatMsMax)
    const phase = { state: "ready", socket, url, welcome, heartbeatMs, sinceMs: nowMs } as const
    this.#phase = phase
    this.#urls.worked()
    this.#renewal.connected()
    if (this.#isUnshown) this.#show(phase, effects)
    this.heard(nowMs)
    this.#showsPresence = false
    this.#pingAtMs = nowMs + heartbeatMs
    if (this.#urls.preferredTo(url) !== undefined) this.#failBack.plan(nowMs)
  }

  /** No look is due any more; a socket that is opening for one is closed. */
  dropProbe(effects: ClientEffect[]): void {
    const { probe } = this.#failBack
    this.#failBack.stop()
    if (probe === undefined) return
    effects.push({ type: "disconnect", socket: probe.socket, ...leaving })
  }

  /** True if it was the probe that ended: the connection goes on. */
  probeEnded(socket: ConnectionId, nowMs: Millis): boolean {
    if (this.#failBack.probe?.socket !== socket) return false
    this.#failBack.plan(nowMs)
    return true
  }

  /**
   * True if it is the probe that opened: it is the connection from now on, hello is to be sent, and
   * the other is left.
   */
  moveTo(socket: ConnectionId, effects: ClientEffect[]): boolean {
    const { probe } = this.#failBack
    if (probe?.socket !== socket || this.socket === undefined) return false
    const reason = "the client goes back to its first url"
    effects.push({ type: "disconnect", socket: this.socket, code: 1000, reason })
    this.#failBack.stop()
    this.#phase = { state: "dialling", ...probe }
    return true
  }

  /** While presence is shown, nodes of version 3 take it away if they hear nothing [N19]. */
  showsPresence(isShown: boolean, nowMs: Millis): void {
    if (this.#phase.state !== "ready" || this.#phase.welcome.version < 3) return
    if (isShown && !this.#showsPresence) {
      this.#pingAtMs = Math.min(this.#pingAtMs, nowMs + limits.presencePingMs)
    }
    this.#showsPresence = isShown
  }

  heard(nowMs: Millis): void {
    this.#heardMs = nowMs
  }

  /** The socket ended, or must: waits for the next attempt, or stops if all urls have refused. */
  ended(why: Why, permanent: boolean, nowMs: Millis): void {
    // Another token is wanted. If it is the node that is wrong, the next url takes it.
    const needsToken = why.code === notAuthenticated && this.#authenticated
    let isOver = permanent && !needsToken
    if ("url" in this.#phase) {
      this.#urls.failed(this.#phase.url)
      isOver &&= this.#urls.refused(this.#phase.url)
    }
    const said = this.#explain(why)
    if (this.#phase.state === "ready" && nowMs - this.#phase.sinceMs >= clientLimits.stableMs) {
      this.#backOff.reset()
      if (this.#urls.preferredTo(this.#phase.url) === undefined) this.#failBack.reset()
    }
    if (isOver) this.#phase = { state: "closed", why: said }
    else this.#wait(said, needsToken, nowMs)
  }

  /** Browsers say only 1006, whatever was wrong: a url that never opened may be a wrong one. */
  #explain(why: Why): Why {
    const phase = this.#phase
    if (phase.state !== "dialling" || this.#reached.has(phase.url)) return why
    const hint = `${phase.url} never got through: does a node listen there, with the path /sync?`
    return { ...why, reason: why.reason === "" ? hint : `${why.reason}; ${hint}` }
  }

  /** As the app wishes, whatever goes on. */
  rest(
    phase: { readonly state: "offline" } | { readonly state: "closed"; readonly why: Why },
  ): void {
    this.#backOff.reset()
    this.#phase = phase
  }

  nextDeadline(): { readonly atMs: Millis; readonly reason: string } | undefined {
    const phase = this.#phase
    switch (phase.state) {
      case "offline":
      case "closed":
        return undefined
      case "waiting":
        return { atMs: phase.untilMs, reason: "reconnect" }
      case "fetching-token":
        return { atMs: phase.untilMs, reason: "token" }
      case "dialling":
      case "greeting":
        return { atMs: phase.untilMs, reason: "handshake" }
      case "ready": {
        const silentAtMs = this.#heardMs + 3 * phase.heartbeatMs
        const backMs = this.#failBack.nextMs
        const tokenMs = this.#renewal.nextMs
        const atMs = Math.min(silentAtMs, this.#pingAtMs, backMs, tokenMs)
        if (atMs === silentAtMs) return { atMs, reason: "silence" }
        if (atMs === this.#pingAtMs) return { atMs, reason: "ping" }
        return { atMs, reason: atMs === tokenMs ? "token" : "probe" }
      }
    }
  }

  /** Does what is due. Gives the reason why the socket has to be given up, if it has. */
  deadline(nowMs: Millis, effects: ClientEffect[]): Why | undefined {
    const due = this.nextDeadline()
    if (due === undefined || nowMs < due.atMs) return undefined
    switch (this.#phase.state) {
      case "waiting":
        this.start(nowMs, effects)
        return undefined
      case "fetching-token":
        this.noToken("the token did not come in time", nowMs)
        return undefined
      case "ready":
        if (nowMs >= this.#heardMs + 3 * this.#phase.heartbeatMs) return whyOf("silent")
        if (nowMs >= this.#failBack.nextMs) this.#look(this.#phase, nowMs, effects)
        if (nowMs >= this.#pingAtMs) this.#ping(this.#phase, nowMs, effects)
        if (nowMs >= this.#renewal.nextMs) this.refreshToken(nowMs, effects)
        return undefined
      default:
        return whyOf("silent", "the node did not answer in time")
    }
  }

  #ping(phase: ReadyPhase, nowMs: Millis, effects: ClientEffect[]): void {
    const presenceMs = this.#showsPresence ? limits.presencePingMs : Infinity
    this.#pingAtMs = nowMs + Math.min(phase.heartbeatMs, presenceMs)
    effects.push({ type: "send", socket: phase.socket, frame: pingFrame })
  }

  /** The time of a look has come, or that of one that got no answer is over. */
  #look({ url }: ReadyPhase, nowMs: Millis, effects: ClientEffect[]): void {
    if (this.#failBack.probe !== undefined) {
      this.dropProbe(effects)
      this.#failBack.plan(nowMs)
      return
    }
    const better = this.#urls.preferredTo(url)
    assert(better !== undefined, "looked for something better than the first")
    this.#lastSocket += 1
    this.#failBack.start(this.#lastSocket, better, nowMs)
    effects.push({ type: "connect", socket: this.#lastSocket, url: better })
  }

  #dial(nowMs: Millis, effects: ClientEffect[]): void {
    this.#renewal.dialled()
    this.#lastSocket += 1
    const socket = this.#lastSocket
    const url = this.#urls.best()
    this.#phase = { state: "dialling", socket, url, untilMs: nowMs + limits.clientHandshakeMs }
    effects.push({ type: "connect", socket, url })
  }

  #wait(why: Why, token: boolean, nowMs: Millis): void {
    this.#phase = { state: "waiting", untilMs: nowMs + this.#backOff.next(), why, token }
  }
}

/** Whether a close by the other side is for good. */
export function isPermanent(code: number): boolean {
  return !mayRetry(code)
}
