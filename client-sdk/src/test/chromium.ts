/**
 * Debian's Chromium for tests. Where there is none tests are skipped, and say so; in CI they fail
 * instead.
 */
import { existsSync } from "node:fs"
import { chromium } from "playwright-core"
import type { BrowserContextOptions, Page } from "playwright-core"
import { onTestFinished } from "vitest"

const executablePath = "/usr/bin/chromium"
const reason = `no browser at ${executablePath} (Debian: apt install chromium)`

export const skipsBrowser: boolean = !existsSync(executablePath) && !process.env["CI"]
if (skipsBrowser) process.stderr.write(`browser test skipped: ${reason}\n`)
else if (!existsSync(executablePath)) process.stderr.write(`browser test fails: ${reason}\n`)

const args = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
]

/**
 * A page of a browser of its own, closed after the test; what goes wrong in it, or in another page
 * of its context, fails the test.
 */
export async function openBrowser(options: BrowserContextOptions = {}): Promise<Page> {
  const browser = await chromium.launch({ executablePath, args, timeout: 20_000 })
  const errors: Error[] = []
  onTestFinished(async () => {
    await browser.close()
    const [first] = errors
    if (first !== undefined) throw first
  })
  const context = await browser.newContext(options)
  context.on("weberror", (error) => errors.push(error.error()))
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  return page
}
