/**
 * The SDK in a real browser: bundled as an app would, it edits a document that a client in Node
 * shows, and the other way round. Without a browser the test is skipped, and says so; in CI it
 * fails instead.
 */
import type { Page } from "playwright-core"
import { describe, expect, test } from "vitest"
import type { Presence, PresenceState } from "./index.ts"
import type { BrowserPage } from "./test/browser-page.ts"
import { openStepMs, openStepsMax } from "./storage-opening.ts"
import { openBrowser, skipsBrowser } from "./test/chromium.ts"
import { bundlePage, servePage } from "./test/serve-page.ts"
import { connect, startNode, type, until, untilText } from "./test/world.ts"

/** Calls one of the page's functions, and waits for what it gives. */
function run<Name extends keyof BrowserPage>(
  page: Page,
  name: Name,
  ...values: Parameters<BrowserPage[Name]>
): Promise<unknown> {
  return page.evaluate(`page.${name}(...${JSON.stringify(values)})`)
}

function untilState(presence: Presence, name: string): Promise<unknown> {
  return until<ReadonlyMap<number, PresenceState>>(presence, (states) =>
    [...states.values()].some((state) => state["name"] === name),
  )
}

describe.skipIf(skipsBrowser)("in a browser", () => {
  test("[C1] [N9] a page and a client in Node edit one document, and see each other", async () => {
    const { sync } = await startNode()
    const page = await openBrowser()
    await page.goto(await servePage("test/browser-page.ts"))
    await run(page, "open", sync)
    await run(page, "type", "from the browser")
    const note = connect(sync).yjs("notes")
    await untilText(note, "from the browser")
    type(note, ", and back")
    await page.waitForFunction(`page.text() === "from the browser, and back"`)

    await run(page, "be", { name: "browser" })
    await untilState(note.presence, "browser")
    note.presence.setLocalState({ name: "node" })
    await page.waitForFunction(`page.others().some(({ name }) => name === "node")`)
    await run(page, "close")
    await until<ReadonlyMap<number, PresenceState>>(note.presence, ({ size }) => size === 1)
  })

  test("[C2] a page that goes offline sends what was typed when it is back", async () => {
    const { sync } = await startNode()
    const page = await openBrowser()
    await page.goto(await servePage("test/browser-page.ts"))
    await run(page, "open", sync)
    await run(page, "goOffline")
    const typed = run(page, "type", "offline")
    await page.waitForFunction(`page.pending() === 1`)
    await run(page, "goOnline")
    await typed
    await untilText(connect(sync).yjs("notes"), "offline")
  })

  test("[C8] [C11] IndexedDB keeps a document, and never claims what was evicted", async () => {
    const { node, sync } = await startNode()
    const page = await openBrowser()
    const url = await servePage("test/browser-page.ts")
    await page.goto(url)
    await run(page, "open", sync, "app")
    await run(page, "type", "kept ")
    await page.reload()
    await run(page, "open", sync, "app")
    await page.waitForFunction(`page.text() === "kept "`)

    const session = await page.context().newCDPSession(page)
    const origin = new URL(url).origin
    await session.send("Storage.clearDataForOrigin", { origin, storageTypes: "indexeddb" })
    await run(page, "type", "after ")
    await run(page, "type", "eviction")
    await run(page, "close")
    await page.reload()
    // What is left says that it is not all: a node sends the rest.
    await run(page, "open", sync, "app")
    await page.waitForFunction(`page.text() === "kept after eviction"`)
    await run(page, "close")
    await node.close()
    await page.reload()
    await run(page, "open", sync, "app")
    await page.waitForFunction(`page.text() === "kept after eviction"`)
  })

  test("[C11] [C1] past the quota nothing is claimed or sent, until there is room", async () => {
    const { sync } = await startNode()
    const page = await openBrowser()
    const url = await servePage("test/browser-page.ts")
    await page.goto(url)
    const session = await page.context().newCDPSession(page)
    const origin = new URL(url).origin
    const quotaSize = 100_000
    await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize })
    await run(page, "open", sync, "app")
    await run(page, "type", "before ")
    const much = "much ".repeat(quotaSize / 4)
    await run(page, "insert", much)
    await page.waitForFunction(`page.saving() === "failing full memory"`)
    await run(page, "insert", "during")
    expect(await run(page, "pending")).toBe(2)
    const note = connect(sync).yjs("notes")
    await untilText(note, "before ")
    await session.send("Storage.overrideQuotaForOrigin", { origin })
    await page.waitForFunction(`page.saving() === "ok  node"`)
    await untilText(note, `before ${much}during`)
    await run(page, "close")
    await page.reload()
    await run(page, "open", "ws://127.0.0.1:9/sync", "app")
    expect(await run(page, "text")).toBe(`before ${much}during`)
  })

  test("[C11] IndexedDB that never opens is given up, and left closed if it does", async () => {
    const { sync } = await startNode()
    const page = await openBrowser()
    await page.clock.install()
    await page.goto(await servePage("test/browser-page.ts"))
    await run(page, "block", "app")
    const opening = run(page, "open", sync, "app")
    await page.waitForFunction(`page.locks().then((count) => count === 1)`)
    await page.clock.runFor(openStepMs * openStepsMax)
    await opening
    expect(await run(page, "saving")).toMatch(/^memory-only failed/)
    expect(await run(page, "locks")).toBe(0)
    await run(page, "type", "from memory")
    await untilText(connect(sync).yjs("notes"), "from memory")

    // What comes to open now was waited for before: it keeps nobody out.
    await run(page, "unblock")
    await run(page, "delete", "app")
    await run(page, "close")
    await run(page, "open", sync, "app")
    expect(await run(page, "saving")).toMatch(/^ok/)
    await page.waitForFunction(`page.text() === "from memory"`)
  })

  test("[C11] a page that may store nothing lives in memory, says so, and sends all", async () => {
    const { sync } = await startNode()
    const page = await openBrowser()
    // Its origin is nobody's: what IndexedDB and locks do there, they do where sites are blocked.
    await page.goto(await servePage("test/browser-page.ts", "sandbox allow-scripts"))
    await run(page, "open", sync, "app")
    expect(await run(page, "saving")).toMatch(/^memory-only denied/)
    await run(page, "type", "from memory")
    await untilText(connect(sync).yjs("notes"), "from memory")
  })
})

test("an app that only has Yjs documents loads no Automerge, and no Node module", async () => {
  const { outputFiles } = await bundlePage("index.ts", true)
  const text = outputFiles.map((file) => file.text).join("\n")
  // Named once, in a chunk that is imported when it is needed.
  expect(text.match(/@automerge\/automerge/g)).toHaveLength(1)
  const main = outputFiles.find(({ path }) => path.endsWith("/index.js"))
  expect(main?.text).toContain("import(")
  expect(main?.text).not.toContain("@automerge/automerge")
  expect(text).not.toMatch(/from\s*"node:|import\("node:|require\("/)
})
