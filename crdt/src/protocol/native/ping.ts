/** Heartbeat in data frames, because browsers can't see WebSocket pings. Rule [N11]. */
import { Writer } from "../../base/index.ts"
import { nativeTags } from "../tags.ts"

export type Ping = { readonly type: "ping" }
export type Pong = { readonly type: "pong" }

export const pingFrame: Uint8Array = new Writer().u8(nativeTags.ping).finish()
export const pongFrame: Uint8Array = new Writer().u8(nativeTags.pong).finish()
