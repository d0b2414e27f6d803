/**
 * Single updates put on the wire by hand, for what no well-behaved client sends: in each server's
 * own dialect, with the same bytes inside. The answer is told, refused, or neither in time.
 */
import { NativeClient } from "../load/native-client.ts"
import { Session } from "../load/session.ts"
import { updateFrame, wires } from "../load/wire.ts"
import type { WireName } from "../load/wire.ts"
import * as Y from "yjs"
import { happens } from "./wait.ts"

/** "seen": a client without acks whose update another client got. */
export type RawAnswer = "acked" | "seen" | "refused" | "no answer"

export type SendRaw = (server: string, room: string, update: Uint8Array) => Promise<RawAnswer>

const answerMsMax = 3000

/** The Hocuspocus dialect: one ack for each update. */
export async function sendHocuspocus(
  server: string,
  room: string,
  update: Uint8Array,
): Promise<RawAnswer> {
  return send("hocuspocus", server, room, update)
}

/** The y-websocket dialect: no acks, so a second session watches for the update. */
export async function sendYWebsocket(
  server: string,
  room: string,
  update: Uint8Array,
): Promise<RawAnswer> {
  return send("y-websocket", `${server}yjs/${room}`, room, update)
}

async function send(
  wireName: WireName,
  url: string,
  room: string,
  update: Uint8Array,
): Promise<RawAnswer> {
  const wire = wires[wireName]
  let answer: RawAnswer = "no answer"
  const note = (next: RawAnswer) => (): void => {
    if (answer === "no answer") answer = next
  }
  const onContent = (frame: Uint8Array): void => {
    if (Buffer.from(frame).includes(Buffer.from(update))) note("seen")()
  }
  // Whose client is acked needs no other to tell it.
  const watcher = wire.acks ? undefined : await Session.open({ url, wire, room, onContent })
  const onEnd = note("refused")
  const writer = await Session.open({ url, wire, room, onAck: note("acked"), onEnd })
  try {
    writer.send(updateFrame(wire, room, update))
    await happens(() => answer !== "no answer", answerMsMax)
    return answer
  } finally {
    writer.close()
    watcher?.close()
  }
}

/** The native protocol: an ack by number, or a refusal. */
export async function sendNative(
  server: string,
  room: string,
  update: Uint8Array,
): Promise<RawAnswer> {
  const client = await NativeClient.connect(new URL("/sync", server).href)
  try {
    client.open(1, room)
    client.send(1, update)
    let answer: RawAnswer = "no answer"
    const acked = client.acked().then(
      () => (answer = "acked"),
      () => (answer = "refused"),
    )
    void acked
    await happens(() => answer !== "no answer", answerMsMax)
    return answer
  } finally {
    client.close()
  }
}

/** Two updates of one writer; the second cannot be understood without the first. */
export function chainOf(first: string, second: string): readonly [Uint8Array, Uint8Array] {
  const document = new Y.Doc()
  const updates: Uint8Array[] = []
  document.on("update", (update: Uint8Array) => updates.push(update))
  const text = document.getText("text")
  text.insert(0, first)
  text.insert(text.length, second)
  const [one, two] = updates
  if (one === undefined || two === undefined) throw new Error("an insert makes an update")
  return [one, two]
}
