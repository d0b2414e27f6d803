/**
 * The editor as its users have it: two browsers on two linked nodes, cut apart and healed, and one
 * that works offline. With CAUSEWAY_SCREENSHOTS=FOLDER it leaves pictures of each state there.
 */
import { join } from "node:path"
import type { Page } from "playwright-core"
import { describe, expect, onTestFinished, test } from "vitest"
import { startCluster } from "../../src/test/cable.ts"
import { openBrowser, skipsBrowser } from "../../src/test/chromium.ts"
import { startNode } from "../../src/test/world.ts"
import { servePage } from "../serve.ts"

const wide: Look = { viewport: { width: 900, height: 560 } }
const narrow: Look = { viewport: { width: 400, height: 640 }, colorScheme: "dark" }
const pictures = process.env["CAUSEWAY_SCREENSHOTS"]

async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`) })
}

type Look = NonNullable<Parameters<typeof openBrowser>[0]>

async function openEditor(pageUrl: string, node: string, name: string, look: Look): Promise<Page> {
  const page = await openBrowser(look)
  await page.goto(`${pageUrl}?${new URLSearchParams({ node, name, document: "plans" }).toString()}`)
  await page.getByText(`${name} (you)`).waitFor()
  return page
}

/** The text without the others' names, which stand between its lines. */
async function textOf(page: Page): Promise<string> {
  const lines = `[...document.querySelectorAll(".cm-line")].map((line) => {
    const copy = line.cloneNode(true)
    for (const caret of copy.querySelectorAll(".cm-ySelectionCaret")) caret.remove()
    return copy.textContent
  })`
  return String(await page.evaluate(`${lines}.join("\\n")`))
}

/** Types at the end of the text. */
async function type(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: "Text of plans" }).focus()
  await page.keyboard.press("Control+End")
  await page.keyboard.type(text)
}

function untilShown(page: Page, text: string): Promise<void> {
  return page.locator(".cm-content", { hasText: text }).waitFor()
}

function untilSaved(page: Page, words: string | RegExp): Promise<void> {
  return page.locator("#saved", { hasText: words }).waitFor()
}

describe.skipIf(skipsBrowser)("the editor in two browsers, each on a node of its own", () => {
  test("[C1] [C2] [N9] [T9] cut, edited on both sides, healed: both show the same", async () => {
    const { nodes, cutOff, heal } = await startCluster(2)
    const served = await servePage(join(import.meta.dirname), [])
    onTestFinished(() => served.close())
    const [first = "", second = ""] = nodes.map(({ sync }) => sync)
    const ann = await openEditor(served.url, first, "Ann", wide)
    const ben = await openEditor(served.url, second, "Ben", narrow)
    await type(ann, "Shopping: bread")
    await untilShown(ben, "Shopping: bread")
    await untilSaved(ann, "Saved everywhere")
    await type(ben, ", butter")
    await untilShown(ann, "bread, butter")
    // Each sees the other's name, and where the other is.
    await ben.getByText("Ann", { exact: true }).waitFor()
    await ann.locator(".cm-ySelectionInfo", { hasText: "Ben" }).waitFor({ state: "attached" })
    await picture(ann, "together")

    cutOff(1)
    await type(ann, "\nAnn brings tea.")
    await type(ben, "\nBen brings jam.")
    await untilSaved(ann, "waiting for n2")
    await untilSaved(ben, "waiting for n1")
    expect(await textOf(ann)).not.toContain("jam")
    await picture(ann, "cut")

    await ann.getByRole("switch", { name: "Work offline" }).click()
    await ann.locator("#connection", { hasText: "Offline, as you asked" }).waitFor()
    await type(ann, " And cake.")
    await untilSaved(ann, /\d+ changes to send, safe here/)
    await picture(ann, "offline")
    heal()
    await ann.getByRole("switch", { name: "Work offline" }).click()
    for (const page of [ann, ben]) {
      await untilShown(page, "Ann brings tea. And cake.")
      await untilShown(page, "Ben brings jam.")
      await untilSaved(page, "Saved everywhere")
    }
    expect(await textOf(ann)).toBe(await textOf(ben))
    await picture(ben, "healed")

    // Undo takes back one's own words, not the other's.
    await ben.keyboard.press("Control+z")
    await ann.getByText("Ben brings jam.").waitFor({ state: "detached" })
    expect(await textOf(ann)).toContain("And cake.")
  }, 120_000)

  test("[C8] [H1] [H2] tabs of a browser share a client, and need no node", async () => {
    const { node, sync } = await startNode()
    const served = await servePage(join(import.meta.dirname), [])
    onTestFinished(() => served.close())
    const first = await openEditor(served.url, sync, "Ann", wide)
    await type(first, "one")
    const second = await first.context().newPage()
    await second.goto(first.url())
    await untilShown(second, "one")
    await second.getByRole("switch", { name: "Work offline" }).click()
    for (const page of [first, second]) {
      await page.getByRole("switch", { name: "Work offline", checked: true }).waitFor()
    }
    await type(second, " two")
    await untilShown(first, "one two")
    await first.close()
    await type(second, " three")
    await untilSaved(second, "changes to send, safe here")
    await node.close()
    await second.reload()
    await untilShown(second, "one two three")
    await picture(second, "without-a-node")
  }, 60_000)
})
