/**
 * The to-do list as its users have it: two browsers on two linked nodes, cut apart and healed. With
 * CAUSEWAY_SCREENSHOTS=FOLDER it leaves pictures of each state there.
 */
import { join } from "node:path"
import type { Page } from "playwright-core"
import { describe, expect, onTestFinished, test } from "vitest"
import { startCluster } from "../../src/test/cable.ts"
import { openBrowser, skipsBrowser } from "../../src/test/chromium.ts"
import { servePage } from "../serve.ts"

type Look = NonNullable<Parameters<typeof openBrowser>[0]>

const wide: Look = { viewport: { width: 760, height: 620 } }
const narrow: Look = { viewport: { width: 400, height: 700 }, colorScheme: "dark" }
const pictures = process.env["CAUSEWAY_SCREENSHOTS"]

async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `todo-${name}.png`) })
}

async function openList(pageUrl: string, node: string, name: string, look: Look): Promise<Page> {
  const page = await openBrowser(look)
  await page.goto(`${pageUrl}?${new URLSearchParams({ node, name, list: "weekend" }).toString()}`)
  return page
}

async function add(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: "New item" }).fill(text)
  await page.keyboard.press("Enter")
}

async function rename(page: Page, from: string, to: string): Promise<void> {
  await page.getByRole("button", { name: `Edit ${from}` }).click()
  await page.getByRole("textbox", { name: `New text for ${from}` }).fill(to)
  await page.keyboard.press("Enter")
}

function untilShown(page: Page, text: string): Promise<void> {
  return page.getByRole("checkbox", { name: text, exact: true }).waitFor()
}

function untilGone(page: Page, text: string): Promise<void> {
  return page.getByRole("checkbox", { name: text, exact: true }).waitFor({ state: "detached" })
}

function untilSaved(page: Page, words: string | RegExp): Promise<void> {
  return page.locator(".saved", { hasText: words }).waitFor()
}

/** What the list says, ticks and choices included. */
async function itemsOf(page: Page): Promise<unknown> {
  return await page.evaluate(`[...document.querySelectorAll(".item")].map((item) => [
    item.querySelector("label")?.textContent,
    item.querySelector("input").checked,
    [...item.querySelectorAll(".choice b")].map((choice) => choice.textContent),
  ])`)
}

describe.skipIf(skipsBrowser)("the to-do list in two browsers, each on a node of its own", () => {
  test("[C1] [C2] [N9] [T9] cut, changed on both sides, healed, and settled", async () => {
    const { nodes, cutOff, heal } = await startCluster(2)
    const served = await servePage(join(import.meta.dirname), [])
    onTestFinished(() => served.close())
    const [first = "", second = ""] = nodes.map(({ sync }) => sync)
    const ann = await openList(served.url, first, "Ann", wide)
    await ann.getByText("Nothing to do.").waitFor()
    await picture(ann, "empty")
    const ben = await openList(served.url, second, "Ben", narrow)
    for (const text of ["Buy milk", "Call grandma", "Fix the bike"]) await add(ann, text)
    await untilShown(ben, "Fix the bike")
    await ben.getByRole("checkbox", { name: "Call grandma" }).check()
    await ann.getByText("2 of 3 to do").waitFor()
    await ann.getByText("2 people here").waitFor()
    await untilSaved(ann, "Saved everywhere")
    await picture(ann, "together")

    cutOff(1)
    await rename(ann, "Buy milk", "Buy 2 l of milk")
    await rename(ben, "Buy milk", "Buy oat milk")
    await untilSaved(ann, "waiting for n2")
    await ben.getByRole("switch", { name: "Work offline" }).click()
    await ben.getByText("Offline, as you asked").waitFor()
    await add(ben, "Water the plants")
    await ben.getByRole("button", { name: "Remove Fix the bike" }).click()
    await untilSaved(ben, "2 changes to send, safe here")
    await add(ann, "Book the train")
    await picture(ben, "offline")

    heal()
    await ben.getByRole("switch", { name: "Work offline" }).click()
    for (const page of [ann, ben]) {
      await untilShown(page, "Water the plants")
      await untilShown(page, "Book the train")
      await untilGone(page, "Fix the bike")
      await page.locator(".choice").nth(1).waitFor()
    }
    expect(await itemsOf(ann)).toEqual(await itemsOf(ben))
    await ann.locator(".choice", { hasText: "Buy oat milk Ben’s" }).waitFor()
    await picture(ann, "conflict")
    await picture(ben, "conflict-dark")

    await ann.getByRole("button", { name: "Buy oat milk Ben’s" }).click()
    for (const page of [ann, ben]) {
      await page.locator(".dispute").waitFor({ state: "detached" })
      await untilShown(page, "Buy oat milk")
      await untilSaved(page, "Saved everywhere")
    }
    expect(await itemsOf(ann)).toEqual(await itemsOf(ben))
    await picture(ben, "settled")
  }, 120_000)
})
