/** Link heartbeat: a link that is silent for `linkSilentMs` is dead. Rule [L8]. */
import { Writer } from "../../base/index.ts"
import { linkTags } from "../tags.ts"

export type LinkPing = { readonly type: "ping" }
export type LinkPong = { readonly type: "pong" }

export const linkPingFrame: Uint8Array = new Writer().u8(linkTags.ping).finish()
export const linkPongFrame: Uint8Array = new Writer().u8(linkTags.pong).finish()
