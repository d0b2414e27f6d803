/** Heartbeat in data frames, because browsers can't see WebSocket pings. Rule [N11]. */
import { nativeTags } from "../tags.ts"

export type Ping = { readonly type: "ping" }
export type Pong = { readonly type: "pong" }

export const pingFrame: Uint8Array = Uint8Array.of(nativeTags.ping)
export const pongFrame: Uint8Array = /* @__PURE__ */ Uint8Array.of(nativeTags.pong)
