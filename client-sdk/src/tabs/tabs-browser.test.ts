/**
 * Tabs of a real browser, which share Web Locks, channels and IndexedDB: the one that leads is
 * closed, crashes or freezes, and the others go on within two seconds, with nothing lost or twice.
 */
import type { Page } from "playwright-core"
import { describe, expect, test } from "vitest"
import { openBrowser, skipsBrowser } from "../test/chromium.ts"
import { servePage } from "../test/serve-page.ts"
import type { TabsPage } from "../test/tabs-page.ts"
import type { RunningNode } from "@causeway/server"
import { connect, startNode, untilText } from "../test/world.ts"

const stepMsMax = 20_000

/** The browser's own waits end in a page that has a thread; these end in any case. */
async function step<T>(what: string, waiting: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain: ${what}`)), stepMsMax)
  })
  try {
    return await Promise.race([waiting, late])
  } finally {
    clearTimeout(timer)
  }
}

function run<Name extends keyof TabsPage>(
  page: Page,
  name: Name,
  ...values: Parameters<TabsPage[Name]>
): Promise<Awaited<ReturnType<TabsPage[Name]>>> {
  const call = `page.${name}(...${JSON.stringify(values)})`
  return step(`${titleOf(page)}: ${call}`, page.evaluate(call))
}

async function untilTrue(page: Page, condition: string): Promise<void> {
  const waiting = page.waitForFunction(condition, undefined, { timeout: 2 * stepMsMax })
  await step(`${titleOf(page)}: until ${condition}`, waiting)
}

function titleOf(page: Page): string {
  return `tab ${page.context().pages().indexOf(page) + 1}`
}

type Tabs = { node: RunningNode; sync: string; tabs: Page[] }

async function openTabs(count: number, prepare = ""): Promise<Tabs> {
  const { node, sync } = await startNode()
  const url = await servePage("test/tabs-page.ts")
  const first = await openBrowser()
  const tabs: Page[] = []
  for (let index = 0; index < count; index++) {
    const tab = index === 0 ? first : await first.context().newPage()
    await tab.goto(url)
    if (index === 0) await tab.evaluate(prepare)
    await run(tab, "open", sync)
    await untilTrue(tab, `page.session()?.includes("/")`)
    tabs.push(tab)
  }
  return { node, sync, tabs }
}

type Ending = (tab: Page) => Promise<(() => Promise<unknown>) | undefined>

/** Each gives how to wake the tab, if that can be. */
const endings: Readonly<Record<string, Ending>> = {
  async "is closed"(tab) {
    await tab.close()
    return undefined
  },
  async crashes(tab) {
    const session = await tab.context().newCDPSession(tab)
    const crashed = step("the crash", tab.waitForEvent("crash"))
    // Nobody is left to answer.
    session.send("Page.crash").catch(() => undefined)
    await crashed
    return undefined
  },
  // Pages of a headless browser are visible for good, and a visible one is never frozen: its
  // thread is held up instead, and as a browser does it, in no task of the client's. One that stops
  // between two statements of a write to IndexedDB keeps the database from all others (ADR 11).
  async sleeps(tab) {
    const session = await tab.context().newCDPSession(tab)
    await session.send("Debugger.enable")
    const paused = new Promise((resolve) => session.once("Debugger.paused", resolve))
    await tab.evaluate("setTimeout(() => { debugger })")
    await step("the tab pauses", paused)
    return () => session.send("Debugger.resume")
  },
}

describe.skipIf(skipsBrowser)("in a browser", () => {
  test.each(Object.keys(endings))("[H1] [H3] [H7] [H8] the tab that leads %s", async (ending) => {
    const { sync, tabs } = await openTabs(3)
    const [first, ...others] = tabs
    const [second, third] = others
    if (first === undefined || second === undefined || third === undefined) throw new Error()
    const sessions = await Promise.all(tabs.map((tab) => run(tab, "session")))
    expect(new Set(sessions).size).toBe(1)
    for (const [index, tab] of tabs.entries()) await run(tab, "keepTyping", "abc".charAt(index))
    for (const tab of others) {
      await untilTrue(tab, `["a5 ", "b5 ", "c5 "].every((word) => page.text().includes(word))`)
    }

    const atMs = Date.now()
    const wake = await endings[ending]?.(first)
    await run(second, "type", "after ")
    const handOverMs = (await run(second, "saved")) - atMs
    process.stderr.write(`${ending}: at a node after ${handOverMs} ms\n`)
    const awake = wake === undefined ? others : tabs
    await wake?.()
    const typed = ["after"]
    for (const tab of awake) {
      const count = await run(tab, "stopTyping")
      const letter = "abc".charAt(tabs.indexOf(tab))
      for (let number = 0; number < count; number++) typed.push(`${letter}${number}`)
    }
    for (const tab of awake) await run(tab, "saved")

    const text = await run(second, "text")
    const far = connect(sync).yjs("notes")
    await untilText(far, text)
    for (const tab of awake) await untilTrue(tab, `page.text() === ${JSON.stringify(text)}`)
    const words = text.split(" ").filter(Boolean)
    expect(new Set(words).size).toBe(words.length)
    expect(typed.filter((word) => !words.includes(word))).toEqual([])
    expect(words.filter((word) => !word.startsWith("a") && !typed.includes(word))).toEqual([])
    const after = await Promise.all(awake.map((tab) => run(tab, "session")))
    expect(new Set(after).size).toBe(1)
    expect(after[0]).not.toBe(sessions[0])
  })

  test("[H7] a tab that leads and is hidden goes by the others' timers", async () => {
    // Headless pages are visible, and so have to hold back their timers themselves.
    const slow = `const now = setTimeout; setTimeout = (run, ms) => now(run, ms + 60_000); 0`
    const { node, sync, tabs } = await openTabs(2, slow)
    const [first, second] = tabs
    if (first === undefined || second === undefined) throw new Error("no tabs")
    await node.close()
    await untilTrue(first, `page.session() === "offline"`)
    await run(second, "type", "on again")
    await startNode({ port: Number(new URL(sync).port) })
    await run(second, "saved")
    await untilText(connect(sync).yjs("notes"), "on again")
  })
})
