/** Coming back without opening everything again: the client's side of rules [N20] and [N21]. */
import { describe, expect, test } from "vitest"
import { documentHash, documentIdOf, limits, utf8Encode } from "../base/index.ts"
import type { DocumentId } from "../base/index.ts"
import type { ClientMessage, NodeMessage } from "../protocol/index.ts"
import type { ClientEffect } from "./effect.ts"
import { ack, Harness, must, only, openedOf, origin, other } from "./test/harness.ts"
import { sentOf, vector } from "./test/harness.ts"

const had = vector([origin, 9], [other, 4])
const hello = utf8Encode('{"name":"Ann"}')

function numbered(count: number): DocumentId[] {
  return Array.from({ length: count }, (_, index) => must(documentIdOf("yjs", `note ${index}`)))
}

function caughtUp(point = had): NodeMessage {
  return { type: "caught-up", vector: point }
}

function woken(documents: readonly DocumentId[], held = had): NodeMessage {
  return { type: "woken", held, hashes: documents.map(documentHash) }
}

function news(...documents: DocumentId[]): NodeMessage {
  return { type: "woken", held: undefined, hashes: documents.map(documentHash) }
}

/** These are open and live on a connection, and the node said that all is had up to `had`. */
function live(documents: readonly DocumentId[], watchMin = 1): Harness {
  const harness = new Harness({ watchMin })
  for (const document of documents) harness.hold(document)
  harness.connect({ version: 4 })
  for (const index of documents.keys()) harness.serve(index + 1, vector([origin, 5]))
  harness.node(caughtUp())
  return harness
}

function back(harness: Harness, version = 4): ClientMessage[] {
  harness.close()
  harness.redial()
  return harness.connect({ version })
}

function watchedIn(messages: readonly ClientMessage[]): readonly number[] {
  return messages.flatMap((message) => (message.type === "watch" ? message.hashes : []))
}

function openedIn(messages: readonly ClientMessage[]): DocumentId[] {
  return messages.flatMap((message) => (message.type === "open" ? [message.document] : []))
}

function openedBy(effects: readonly ClientEffect[]): DocumentId[] {
  return openedIn(sentOf(effects))
}

function freshness(harness: Harness, documents: readonly DocumentId[]): (string | undefined)[] {
  return documents.map((document) => harness.core.statusOf(document)?.freshness.state)
}

describe("coming back", () => {
  test("[N20] [N21] what a vector covers is watched at once, and live with the answer", () => {
    const documents = numbered(20)
    const harness = live(documents)
    const sent = back(harness)
    expect(openedIn(sent)).toEqual([])
    expect(sent.at(-1)).toMatchObject({ type: "watch", since: had })
    expect(watchedIn(sent)).toEqual(documents.map(documentHash))
    expect(new Set(freshness(harness, documents))).toEqual(new Set(["stale"]))
    const answered = harness.node(woken([]))
    expect(sentOf(answered)).toEqual([])
    expect(new Set(freshness(harness, documents))).toEqual(new Set(["live"]))
    expect(harness.core.statusOf(must(documents[0]))?.access).toBe("write")
    // Nothing is stored of it, and it holds on the next connection too.
    expect(only(harness.effects, "resume")).toEqual([])
    expect(watchedIn(back(harness))).toHaveLength(20)
  })

  test("[N21] what is woken is opened as ever, the rest stays watched", () => {
    const documents = numbered(5)
    const harness = live(documents)
    const [first, second, third, ...rest] = documents.map(must)
    back(harness)
    expect(openedBy(harness.node(woken([must(first)])))).toEqual([first])
    expect(freshness(harness, [must(second), must(third)])).toEqual(["live", "live"])
    expect(openedBy(harness.node(news(must(third))))).toEqual([third])
    expect(openedBy(harness.node(news(must(third), must(first))))).toEqual([])
    expect(freshness(harness, rest)).toEqual(["live", "live"])
  })

  test("[N21] a node that can't say what changed is asked for everything", () => {
    const documents = numbered(3)
    const harness = live(documents)
    back(harness)
    const all: NodeMessage = { type: "woken", held: undefined, hashes: undefined }
    expect(openedBy(harness.node(all))).toEqual(documents)
    expect(freshness(harness, documents)).toEqual(["stale", "stale", "stale"])
  })

  test("[N4] [N21] what the node may lack of a document is opened, so that it is sent it", () => {
    const documents = numbered(2)
    const harness = live(documents)
    const [first, second] = documents.map(must)
    const handle = 101
    harness.node({
      type: "updates",
      handle,
      complete: false,
      resume: vector([other, 4]),
      updates: [],
    })
    back(harness)
    expect(openedBy(harness.node(woken([], vector([origin, 7], [other, 3]))))).toEqual([first])
    expect(freshness(harness, [must(second)])).toEqual(["live"])
  })

  test("[N21] names that share a hash are woken together", () => {
    const [one, same] = twoAlike()
    const harness = live([one, same, ...numbered(2)])
    expect(watchedIn(back(harness))).toHaveLength(4)
    harness.node(woken([]))
    expect(openedBy(harness.node(news(same)))).toEqual([one, same])
  })

  test("[C1] [N21] what the app writes or shows presence in is opened", () => {
    const documents = numbered(3)
    const harness = live(documents)
    const [first, second, third] = documents.map(must)
    back(harness)
    harness.node(woken([]))
    const typed = sentOf(harness.type(must(first), 1))
    expect(typed).toMatchObject([
      { type: "open", document: first },
      { type: "update", seq: 1 },
    ])
    const input = {
      type: "local-presence",
      document: must(second),
      client: 1,
      state: hello,
    } as const
    harness.input(input)
    harness.advance(100)
    const types = sentOf(harness.effects).map(({ type }) => type)
    expect(types.slice(-2)).toEqual(["open", "presence"])
    expect(freshness(harness, [must(third)])).toEqual(["live"])
  })

  test("[N21] a document that is let go of is opened no more, and anew if it is held anew", () => {
    const documents = numbered(2)
    const harness = live(documents)
    const [first, second] = documents.map(must)
    back(harness)
    expect(sentOf(harness.input({ type: "close-document", document: must(first) }))).toEqual([])
    expect(openedBy(harness.node(woken([must(first)])))).toEqual([])
    expect(openedBy(harness.hold(must(second)))).toEqual([second])
  })
})

describe("what is not watched", () => {
  test("[N21] what is pending, present, of a new replica, or no replica's any more", () => {
    const documents = numbered(6)
    const harness = live(documents)
    const [typed, shown, anew, left, ...rest] = documents.map(must)
    const presence = { type: "local-presence", document: must(shown), client: 1 } as const
    harness.input({ ...presence, state: hello })
    harness.type(must(typed), 1)
    harness.hold(must(anew))
    harness.input({ type: "close-document", document: must(left) })
    // The new replica of the one is not caught up yet.
    harness.node(openedOf(7))
    const resume = vector([origin, 6])
    harness.node({ type: "updates", handle: 107, complete: false, resume, updates: [] })
    const sent = back(harness)
    expect(watchedIn(sent)).toEqual(rest.map(documentHash))
    expect(new Set(openedIn(sent))).toEqual(new Set([typed, shown, anew]))
  })

  test("[N21] what was refused, or could not be applied", () => {
    const documents = numbered(3)
    const harness = live(documents)
    const [refused, broken, sound] = documents.map(must)
    harness.type(must(refused), 1)
    harness.node({ type: "reject", seq: 1, code: "invalid-update", message: "" })
    harness.input({ type: "deliver-failed", document: must(broken), message: "" })
    harness.node(caughtUp(vector([origin, 20], [other, 4])))
    const sent = back(harness)
    expect(watchedIn(sent)).toEqual([documentHash(must(sound))])
    // Opened, and cut off before it was caught up: what was covered then still is not.
    const channel = openedIn(sent).indexOf(must(broken)) + 1
    harness.node(openedOf(channel, 7))
    const resume = vector([origin, 1])
    harness.node({ type: "updates", handle: 7, complete: false, resume, updates: [] })
    expect(openedIn(back(harness))).toContain(broken)
  })

  test("[N20] what was not live when the node said so", () => {
    const documents = numbered(3)
    const harness = live(documents)
    const late = must(documentIdOf("yjs", "late"))
    harness.hold(late)
    harness.node(openedOf(4))
    const later = vector([origin, 20], [other, 4])
    harness.node(caughtUp(later))
    const sent = back(harness)
    expect(watchedIn(sent)).toEqual(documents.map(documentHash))
    expect(openedIn(sent)).toEqual([late])
    // What was woken and is on its way is not covered by what is said meanwhile.
    const first = must(documents[0])
    harness.node(woken([first]))
    harness.node(caughtUp(vector([origin, 30], [other, 4])))
    expect(openedIn(back(harness))).toContain(first)
  })

  test("[N21] documents that are fewer than the threshold", () => {
    const few = live(numbered(15), limits.watchMin)
    expect(openedIn(back(few))).toHaveLength(15)
    const many = live(numbered(16), limits.watchMin)
    expect(openedIn(back(many))).toHaveLength(0)
  })

  test("[F6] [N21] anything on a node that knows no watching", () => {
    const documents = numbered(3)
    const harness = live(documents)
    expect(openedIn(back(harness, 3))).toEqual(documents)
    for (const index of documents.keys()) harness.serve(index + 1, vector([origin, 5]))
    expect(watchedIn(back(harness))).toHaveLength(3)
  })

  test("[N21] what an ack moved is watched, and opened if the node has not got it", () => {
    const documents = numbered(2)
    const harness = live(documents)
    const [first] = documents.map(must)
    harness.type(must(first), 1)
    harness.node(ack(1, [1, 10]))
    expect(watchedIn(back(harness))).toHaveLength(2)
    expect(openedBy(harness.node(woken([])))).toEqual([first])
  })
})

/** Two names with the same hash. */
function twoAlike(): readonly [DocumentId, DocumentId] {
  const byHash = new Map<number, DocumentId>()
  for (let index = 0; ; index++) {
    const document = must(documentIdOf("yjs", `alike ${index}`))
    const found = byHash.get(documentHash(document))
    if (found !== undefined) return [found, document]
    byHash.set(documentHash(document), document)
  }
}
