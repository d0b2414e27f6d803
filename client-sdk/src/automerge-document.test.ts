/** Automerge documents over real nodes: forks, their conflicts, and errors of changes. */
import * as Automerge from "@automerge/automerge"
import { describe, expect, test } from "vitest"
import { SyncError } from "./index.ts"
import type { AutomergeDocument, Client } from "./index.ts"
import { startCluster } from "./test/cable.ts"
import { connect, startNode, within } from "./test/world.ts"

type Item = { text: string; done?: boolean }
type Board = {
  title?: string
  items?: Item[]
  tags?: string[]
  owner?: { name?: string; team?: { lead?: string } }
  price?: Automerge.Counter
  key?: Automerge.ImmutableString | string
  photo?: Uint8Array
  due?: Date
}

function untilDoc<T>(
  handle: AutomergeDocument<T>,
  fits: (handle: AutomergeDocument<T>) => boolean,
): Promise<void> {
  return within((resolve) => {
    const check = (): void => {
      if (fits(handle)) resolve()
    }
    handle.subscribe(check)
    check()
    return () => `${JSON.stringify(handle.doc)} ${JSON.stringify(handle.conflicts())}`
  })
}

type Pair = {
  readonly clients: readonly [Client, Client]
  readonly ann: AutomergeDocument<Board>
  readonly ben: AutomergeDocument<Board>
}

/** Two clients of one node with the same document, both offline. */
async function fork(start: (doc: Board) => void): Promise<Pair> {
  const { sync } = await startNode()
  const clients = [connect(sync), connect(sync)] as const
  const ann = clients[0].automerge<Board>("board")
  const ben = clients[1].automerge<Board>("board")
  await ann.change(start)
  await ann.saved("node")
  await untilDoc(ben, ({ doc }) => doc?.title === ann.doc?.title)
  for (const client of clients) client.goOffline()
  return { clients, ann, ben }
}

async function heal({ clients, ann, ben }: Pair): Promise<void> {
  for (const client of clients) client.goOnline()
  await Promise.all([ann.saved("node"), ben.saved("node")])
  await untilDoc(ann, () => sameHeads(ann, ben))
  await untilDoc(ben, () => sameHeads(ann, ben))
}

function sameHeads<T>(one: AutomergeDocument<T>, other: AutomergeDocument<T>): boolean {
  if (one.doc === undefined || other.doc === undefined) return false
  const [heads, others] = [Automerge.getHeads(one.doc), Automerge.getHeads(other.doc)]
  return JSON.stringify(heads.toSorted()) === JSON.stringify(others.toSorted())
}

function valuesAt<T>(handle: AutomergeDocument<T>, path: string): unknown[] {
  const conflict = handle.conflicts().find((each) => each.path.join("/") === path)
  return (conflict?.values ?? []).map(({ value }) => value)
}

describe("conflicts", () => {
  test("are found in maps, lists and nested, with who wrote what", async () => {
    const pair = await fork((doc) => {
      doc.title = "start"
      doc.items = [{ text: "milk" }, { text: "eggs" }]
      doc.owner = { name: "?", team: { lead: "?" } }
      doc.tags = ["a", "b", "c"]
    })
    const { ann, ben } = pair
    for (const [handle, name] of [
      [ann, "Ann"],
      [ben, "Ben"],
    ] as const) {
      await handle.change((doc) => {
        doc.title = `title of ${name}`
        if (doc.items?.[1]) doc.items[1].text = `eggs of ${name}`
        if (doc.owner?.team) doc.owner.team.lead = name
        if (doc.tags) doc.tags[2] = name
      })
    }
    await ann.change((doc) => {
      doc.tags?.unshift("first")
    })
    await heal(pair)
    const paths = ann.conflicts().map(({ path }) => path.join("/"))
    expect(paths.toSorted()).toEqual(["items/1/text", "owner/team/lead", "tags/3", "title"])
    expect(ben.conflicts()).toEqual(ann.conflicts())
    const [shown, other] = ann.conflicts().find(({ path }) => path[0] === "title")?.values ?? []
    expect(shown?.value).toBe(ann.doc?.title)
    const byAnn = [shown, other].find((value) => value?.actor === ann.actor)
    const byBen = [shown, other].find((value) => value?.actor === ben.actor)
    expect([byAnn?.value, byBen?.value]).toEqual(["title of Ann", "title of Ben"])
    expect(ann.conflicts()).toBe(ann.conflicts())
  })

  test("a resolved one is gone everywhere, also one of another node", async () => {
    const { nodes, cutOff, heal: mend } = await startCluster(2)
    const [ann, ben] = nodes.map(({ sync }) => connect(sync).automerge<Board>("board"))
    if (ann === undefined || ben === undefined) throw new Error("no nodes")
    await ann.change((doc) => {
      doc.items = [{ text: "milk" }]
    })
    await untilDoc(ben, ({ doc }) => doc?.items?.length === 1)
    cutOff(0)
    for (const [handle, text] of [
      [ann, "milk, 2 l"],
      [ben, "oat milk"],
    ] as const) {
      await handle.change(({ items }) => {
        if (items?.[0]) items[0].text = text
      })
    }
    mend()
    await untilDoc(ann, () => valuesAt(ann, "items/0/text").length === 2)
    await untilDoc(ben, () => valuesAt(ben, "items/0/text").length === 2)
    const chosen = ann.conflicts()[0]?.values[1]?.value
    ann.resolve(["items", 0, "text"], chosen)
    expect(ann.conflicts()).toEqual([])
    expect(ann.doc?.items).toEqual([{ text: chosen }])
    await untilDoc(ben, () => ben.conflicts().length === 0)
    expect(ben.doc).toEqual(ann.doc)
    const late = connect(nodes[1]?.sync ?? "").automerge<Board>("board")
    await untilDoc(late, ({ doc }) => doc?.items?.length === 1)
    await untilDoc(late, () => sameHeads(late, ann))
    expect(late.conflicts()).toEqual([])
  })

  test("of every kind of value can be resolved by either side's", async () => {
    const pair = await fork((doc) => {
      doc.title = "start"
    })
    const { ann, ben } = pair
    await ann.change((doc) => {
      Object.assign(doc, { price: new Automerge.Counter(1), photo: new Uint8Array([1]) })
      Object.assign(doc, { owner: { name: "Ann", team: { lead: "A" } }, due: new Date(1) })
      Object.assign(doc, { key: new Automerge.ImmutableString("a"), tags: ["a", "b"] })
    })
    await ben.change((doc) => {
      Object.assign(doc, { price: new Automerge.Counter(2), photo: new Uint8Array([2]) })
      Object.assign(doc, { owner: { name: "Ben" }, due: new Date(2), key: "plain", tags: ["c"] })
    })
    await heal(pair)
    expect(ann.conflicts()).toHaveLength(6)
    for (const { path, values } of ann.conflicts()) {
      ann.resolve(path, values[path[0] === "key" ? 0 : 1]?.value)
    }
    await heal(pair)
    expect(ben.conflicts()).toEqual([])
    expect(ben.doc).toEqual(ann.doc)
    expect(ben.doc?.price?.value).toBeTypeOf("number")
    await ben.change((doc) => doc.price?.increment(10))
    await untilDoc(ann, ({ doc }) => doc?.price?.value === ben.doc?.price?.value)
    expect(ann.doc?.price?.value).toBeGreaterThan(10)
  })

  test("one nested in a value that is shown goes with the choice of the value", async () => {
    const pair = await fork((doc) => {
      doc.title = "start"
      doc.owner = { name: "start" }
    })
    for (const handle of [pair.ann, pair.ben]) {
      await handle.change((doc) => {
        doc.owner = { name: `by ${handle.actor}` }
      })
    }
    await heal(pair)
    const [shown] = valuesAt(pair.ann, "owner")
    expect(shown).toEqual(pair.ann.doc?.owner)
    pair.ann.resolve(["owner"], shown)
    await heal(pair)
    expect(pair.ben.conflicts()).toEqual([])
    expect(pair.ben.doc?.owner).toEqual(shown)
  })

  test("who wrote the same text or number agrees", async () => {
    const pair = await fork((doc) => {
      doc.title = "start"
      doc.items = [{ text: "milk" }]
    })
    for (const handle of [pair.ann, pair.ben]) {
      await handle.change((doc) => {
        doc.title = "same"
        if (doc.items?.[0]) doc.items[0].done = true
      })
    }
    await heal(pair)
    expect(pair.ann.conflicts()).toEqual([])
  })

  test.each([
    [["title"]],
    [["nothing"]],
    [["items", 0]],
    [["items", "0", "text"]],
    [["items", 7, "text"]],
    [["title", 0]],
    [["constructor", "prototype"]],
    [["__proto__", "polluted"]],
    [[]],
  ])("there is none at %j, says a typed error", async (path) => {
    const plan = connect((await startNode()).sync).automerge<Board>("board")
    expect(() => plan.resolve(path, "x")).toThrow(
      expect.objectContaining({ code: "ERR_NOT_LOADED" }),
    )
    await plan.change((doc) => {
      doc.title = "x"
      doc.items = [{ text: "milk" }]
    })
    const before = plan.doc
    const fault = expect.objectContaining({ code: "ERR_NO_CONFLICT", retryable: false })
    expect(() => plan.resolve(path, "x")).toThrow(fault)
    expect(plan.doc).toBe(before)
  })
})

describe("changes", () => {
  test("what one throws reaches the caller, and undoes it", async () => {
    const plan = connect((await startNode()).sync).automerge<Board>("board")
    const failing = (doc: Board): void => {
      doc.title = "half done"
      throw new RangeError("mine")
    }
    const early = [plan.change(failing), plan.change((doc) => void (doc.tags = ["made"]))]
    expect((await Promise.allSettled(early)).map(({ status }) => status)).toEqual([
      "rejected",
      "fulfilled",
    ])
    await expect(early[0]).rejects.toThrow("mine")
    expect(plan.doc).toEqual({ tags: ["made"] })
    expect(() => plan.change(failing)).toThrow("mine")
    expect(() => plan.change((doc) => void (doc.title = Reflect.get({}, "no")))).toThrow(RangeError)
    expect(plan.doc).toEqual({ tags: ["made"] })
    await plan.change((doc) => void (doc.title = "whole"))
    await plan.saved("node")
  })

  test("of a closed handle are refused, also those that waited", async () => {
    const client = connect((await startNode()).sync)
    const plan = client.automerge<Board>("board")
    const early = plan.change((doc) => void (doc.title = "never"))
    plan.close()
    await expect(early).rejects.toMatchObject({ code: "ERR_CLOSED" })
    const again = client.automerge<Board>("board")
    await again.loaded
    again.close()
    expect(() => again.change((doc) => void (doc.title = "never"))).toThrow(SyncError)
    const last = client.automerge<Board>("board")
    const waiting = last.change((doc) => void (doc.title = "never"))
    await client.close()
    await expect(waiting).rejects.toMatchObject({ code: "ERR_CLOSED" })
  })

  test("a bounded number waits for loaded", async () => {
    const plan = connect((await startNode()).sync).automerge<Board>("board")
    const waiting = Array.from({ length: 10_000 }, () => plan.change(() => undefined))
    const next = plan.change(() => undefined)
    await expect(next).rejects.toMatchObject({ code: "ERR_NOT_LOADED", retryable: true })
    await Promise.all(waiting)
  })
})
