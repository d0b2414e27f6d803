/**
 * The model of a stock client's presence against the real one: the published y-websocket provider
 * on a socket that only writes down what is sent, fed the same frames at the same times.
 */
import fc from "fast-check"
import { afterAll, beforeAll, expect, test, vi } from "vitest"
import { utf8Encode } from "@causeway/crdt/base"
import type { PresenceEntry } from "@causeway/crdt/protocol"
import { decodeYMessage, encodeYAwareness } from "@causeway/crdt/protocol/stock"
import { StockAwareness } from "./stock-awareness.ts"

const OWN = 7
const TICK_MS = 3000

/** Open at once, and all ears. */
class WrittenDown {
  static readonly OPEN = 1
  readonly OPEN = 1
  readyState = 1
  static readonly sent: Uint8Array[] = []
  onopen: (() => void) | undefined
  onmessage: ((event: { data: Uint8Array<ArrayBuffer> }) => void) | undefined

  static last: WrittenDown | undefined

  constructor() {
    WrittenDown.last = this
  }

  send(frame: Uint8Array): void {
    WrittenDown.sent.push(frame)
  }

  close(): void {
    this.readyState = 3
  }
}

type Event =
  | { readonly type: "set"; readonly cursor: number }
  | { readonly type: "hear"; readonly entries: readonly PresenceEntry[] }
  | { readonly type: "wait"; readonly ticks: number }

const entry = fc.record({
  client: fc.constantFrom(OWN, 8, 9),
  clock: fc.integer({ min: 0, max: 6 }),
  state: fc.constantFrom("null", "{}", '{"cursor":1}').map((json) => utf8Encode(json)),
})
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ type: fc.constant("set" as const), cursor: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ type: fc.constant("hear" as const), entries: fc.array(entry, { maxLength: 3 }) }),
  fc.record({ type: fc.constant("wait" as const), ticks: fc.integer({ min: 1, max: 11 }) }),
)

beforeAll(() => {
  // Before the provider is loaded, which keeps the clock that it finds.
  vi.useFakeTimers()
})

afterAll(() => {
  vi.useRealTimers()
})

async function realOne(events: readonly Event[]): Promise<string[]> {
  const Y = await import("yjs")
  const { WebsocketProvider } = await import("y-websocket")
  const doc = new Y.Doc()
  doc.clientID = OWN
  WrittenDown.sent.length = 0
  const provider = new WebsocketProvider("ws://nowhere", "room", doc, {
    // @ts-expect-error: only what the provider uses of a socket
    WebSocketPolyfill: WrittenDown,
    disableBc: true,
  })
  const socket = WrittenDown.last
  socket?.onopen?.()
  for (const each of events) {
    if (each.type === "set") provider.awareness.setLocalState({ cursor: each.cursor })
    for (let tick = 0; each.type === "wait" && tick < each.ticks; tick++) {
      // Something was heard, or the watchdog would hang up.
      provider.wsLastMessageReceived = Date.now()
      vi.advanceTimersByTime(TICK_MS)
    }
    if (each.type === "hear") {
      socket?.onmessage?.({ data: new Uint8Array(encodeYAwareness(each.entries)) })
    }
  }
  const states = [...provider.awareness.getStates()].map(show).sort()
  const said = WrittenDown.sent.flatMap(entriesOf)
  provider.destroy()
  doc.destroy()
  return [...said, "shows", ...states]
}

function entriesOf(frame: Uint8Array): string[] {
  const message = decodeYMessage(frame)
  return message.type === "awareness" ? [JSON.stringify(message.entries.map(plain))] : []
}

function plain({ client, clock, state }: PresenceEntry): unknown[] {
  return [client, clock, new TextDecoder().decode(state)]
}

function show([client, state]: readonly [number, unknown]): string {
  return `${client} ${typeof state === "string" ? state : JSON.stringify(state)}`
}

function model(events: readonly Event[]): string[] {
  let nowMs = 0
  const awareness = new StockAwareness(OWN, nowMs)
  const said: string[] = []
  const say = (entries: readonly PresenceEntry[]): void => {
    if (entries.length > 0) said.push(JSON.stringify(entries.map(plain)))
  }
  say(awareness.own())
  for (const each of events) {
    if (each.type === "set") say(awareness.set(JSON.stringify({ cursor: each.cursor }), nowMs))
    if (each.type === "hear") say(awareness.apply(each.entries, nowMs))
    for (let tick = 0; each.type === "wait" && tick < each.ticks; tick++) {
      nowMs += TICK_MS
      for (const entries of awareness.tick(nowMs)) say(entries)
    }
  }
  return [...said, "shows", ...[...awareness.states].map(show).sort()]
}

test("says and shows what the published client does", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (events) => {
      expect(model(events)).toEqual(await realOne(events))
    }),
    { numRuns: 200 },
  )
})
