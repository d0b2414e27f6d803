/**
 * The React bindings: in react-dom/server, and in a browser against a real node, with strict mode,
 * which mounts everything twice, and with renders counted.
 */
import { join } from "node:path"
import { build } from "esbuild"
import type { Page } from "playwright-core"
import { createElement } from "react"
import type { FunctionComponent } from "react"
import { renderToString } from "react-dom/server"
import { beforeAll, describe, expect, test } from "vitest"
import { openBrowser, skipsBrowser } from "../test/chromium.ts"
import type { ReactPage } from "../test/react-page.ts"
import { connect, startNode, textOf, type, until, untilText } from "../test/world.ts"
import type { NodeUnderTest } from "../test/world.ts"
import { CausewayProvider, useConflicts, useConnection, useDocument, usePending } from "./index.ts"
import { usePresence, useSnapshot, useStatus, useText } from "./index.ts"

const Everything: FunctionComponent = () => {
  const note = useDocument("yjs", "notes")
  const plan = useDocument<{ title?: string }>("automerge", "plan")
  const values = [
    [note, plan, useText(note, "body"), useSnapshot(plan), useConflicts(plan)],
    [useStatus(note).savedTo, useStatus(plan, ({ pending }) => pending), usePresence(note)],
    [useConnection().state, usePending(({ count }) => count)],
  ]
  return createElement("p", null, JSON.stringify(values))
}

describe("on a server", () => {
  const empty = `[[null,null,"",null,[]],["memory",0,[]],["connecting",0]]`

  test("hooks give what they give before anything is loaded, and open nothing", async () => {
    const { sync } = await startNode()
    for (const client of [undefined, connect(sync)]) {
      const html = renderToString(
        createElement(CausewayProvider, { client }, createElement(Everything)),
      )
      expect(html.replaceAll("&quot;", `"`)).toBe(`<p>${empty}</p>`)
    }
  })

  test("a hook without a provider says what is missing", () => {
    expect(() => renderToString(createElement(Everything))).toThrow(/CausewayProvider/)
  })
})

let script = ""

beforeAll(async () => {
  if (skipsBrowser) return
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "../test/react-page.ts")],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    conditions: ["webpack"],
    define: { "process.env.NODE_ENV": `"development"` },
    logLevel: "silent",
  })
  script = outputFiles[0]?.text ?? ""
})

type World = NodeUnderTest & { readonly page: Page }

async function openPage(): Promise<World> {
  const started = await startNode()
  const page = await openBrowser()
  await page.addScriptTag({ content: script, type: "module" })
  await page.waitForFunction(`"page" in globalThis`)
  await run(page, "open", started.sync)
  return { ...started, page }
}

function run<Name extends keyof ReactPage>(
  page: Page,
  name: Name,
  ...values: Parameters<ReactPage[Name]>
): Promise<unknown> {
  return page.evaluate(`page.${name}(...${JSON.stringify(values)})`)
}

async function untilShown(page: Page, id: string, value: unknown): Promise<void> {
  const wanted = JSON.stringify(JSON.stringify(value))
  await page.waitForFunction(`page.text("${id}") === ${wanted}`)
}

function untilHandles(page: Page, opened: number, closed: number): Promise<unknown> {
  return page.waitForFunction(`String(page.handles()) === "${opened},${closed}"`)
}

/** Waits until nothing renders any more, then gives how often each part did. */
async function rendersOf(page: Page): Promise<Record<string, number>> {
  const settled = `new Promise((resolve) => {
    const look = (before) => setTimeout(() => {
      const now = JSON.stringify(page.renders())
      if (now === before) resolve(page.renders())
      else look(now)
    }, 100)
    look("")
  })`
  return await page.evaluate<Record<string, number>>(settled)
}

describe.skipIf(skipsBrowser)("in a browser", () => {
  test("strict mode keeps one handle; the last component to go lets it go", async () => {
    const { page, sync } = await openPage()
    await run(page, "render", ["note", "twin"], true)
    const note = connect(sync).yjs("notes")
    type(note, "hello")
    await untilShown(page, "text", "hello")
    await untilHandles(page, 1, 0)
    await run(page, "type", "oh, ")
    await untilText(note, "oh, hello")
    await run(page, "render", ["twin"], true)
    await page.waitForFunction(`page.text("text") === "nothing"`)
    await untilHandles(page, 1, 0)
    await run(page, "render", ["note"], true)
    await untilShown(page, "text", "oh, hello")
    await untilHandles(page, 1, 0)
    await run(page, "leave")
    await untilHandles(page, 1, 1)
    await run(page, "render", ["note"], true)
    await untilShown(page, "text", "oh, hello")
    await untilHandles(page, 2, 1)
  })

  test("a handle that the app closes is followed by a fresh one", async () => {
    const { page, sync } = await openPage()
    type(connect(sync).yjs("notes"), "kept")
    await run(page, "render", ["note"], false)
    await untilShown(page, "text", "kept")
    await run(page, "closeHandle")
    await untilHandles(page, 2, 1)
    await untilShown(page, "text", "kept")
    await run(page, "close")
    await untilHandles(page, 2, 2)
    await run(page, "again")
    await untilShown(page, "text", "kept")
  })

  test("each change renders once, and only what shows it", async () => {
    const { page, sync } = await openPage()
    await run(page, "render", ["note", "saved", "words", "client", "title"], false)
    const other = connect(sync)
    const note = other.yjs("notes")
    type(note, "one two ")
    await note.saved("node")
    await untilShown(page, "words", ["one", "two"])
    await untilShown(page, "saved", true)
    await untilShown(page, "client", ["connected", false])
    await other.automerge<{ title?: string }>("plan").change((doc) => {
      doc.title = "first"
    })
    await untilShown(page, "only", "first")
    const before = await rendersOf(page)
    for (const word of ["three", "four", "five"]) {
      type(note, word)
      await untilShown(page, "text", textOf(note))
    }
    await other.automerge<{ other?: number }>("plan").change((doc) => {
      doc.other = 1
    })
    await other.automerge("plan").saved("node")
    const after = await rendersOf(page)
    expect(after).toEqual({ ...before, note: (before["note"] ?? 0) + 3 })
    await run(page, "again")
    expect(await rendersOf(page)).toEqual(
      Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count + 1])),
    )
  })

  test("[N9] presence is told while mounted, and renders when others differ", async () => {
    const { page, sync } = await openPage()
    const { presence } = connect(sync).yjs("notes")
    await run(page, "render", ["people"], true)
    await until(presence, (states) => [...states.values()].some(({ name }) => name === "page"))
    presence.setLocalState({ name: "node" })
    await untilShown(page, "people", ["node"])
    const before = await rendersOf(page)
    presence.setLocalState({ name: "node" })
    presence.setLocalState({ name: "other" })
    await untilShown(page, "people", ["other"])
    // Strict mode renders each time twice.
    expect(await rendersOf(page)).toEqual({ people: (before["people"] ?? 0) + 2 })
    await run(page, "leave")
    await until(presence, (states) => states.size === 1)
  })

  test("Automerge documents and their conflicts show", async () => {
    const { page, sync } = await openPage()
    await run(page, "render", ["plan"], true)
    await untilShown(page, "whole", {})
    const clients = [connect(sync), connect(sync)]
    for (const client of clients) {
      client.goOffline()
      const plan = client.automerge<{ title?: string }>("plan")
      await plan.change((doc) => {
        doc.title = `by ${plan.actor}`
      })
    }
    for (const client of clients) client.goOnline()
    await untilShown(page, "conflicts", ["title"])
    const first = clients[0]?.automerge<{ title?: string }>("plan")
    await untilShown(page, "title", first?.doc?.title)
    first?.resolve(["title"], "agreed")
    await untilShown(page, "conflicts", [])
    await untilShown(page, "title", "agreed")
    await untilShown(page, "whole", { title: "agreed" })
  })
})
